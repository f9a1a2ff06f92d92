import { createPrivateKey } from 'node:crypto';
import { actions, certificateRpc, type Certificate } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { checkCertificate, covers } from '../src/certificates/check-certificate.js';
import { coreOf, makeCertificate, type Pair } from './own-certificate.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

const HOST = 'shop.example.org';
const root = principal('root', 'acme', true);

describe('what is taken for a certificate', () => {
  it.each(['ec:prime256v1', 'ec:secp384r1', 'ec:secp521r1', 'rsa:2048', 'ed25519'])(
    'may be %s',
    async (kind) => {
      const { certificate, key } = await makeCertificate([HOST, 'www.example.org'], { kind });
      const checked = checkCertificate(HOST, `some words\n${certificate}`, key);
      expect(checked).toMatchObject({ certificate, names: [HOST, 'www.example.org'], issuer: `CN=${HOST}` });
      expect(checked.expiresAt.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    },
  );

  it('may be a chain, each followed by its issuer, and for all names below one', async () => {
    const ca = await makeCertificate([]);
    const { certificate, key } = await makeCertificate(['*.example.org'], { issuer: ca });
    const check = (chain: string): unknown => checkCertificate('*.example.org', chain, key);
    expect(check(certificate + ca.certificate)).toMatchObject({ certificate: certificate + ca.certificate });
    const stranger = await makeCertificate(['Other']);
    expect(() => check(certificate + stranger.certificate)).toThrow(/followed by that of its issuer/);
    expect(() => check(ca.certificate + certificate)).toThrow(/not that of the first/);
  });

  it('is nothing that clients would refuse, or that cannot be served', async () => {
    const pair = await makeCertificate([HOST]);
    const other = await makeCertificate([HOST]);
    const encrypted = createPrivateKey(pair.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString();
    const refuses = (why: RegExp, { certificate, key }: Pair, host = HOST): void => {
      expect(() => checkCertificate(host, certificate, key)).toThrow(
        expect.objectContaining({ code: 'CERTIFICATE_INVALID', message: expect.stringMatching(why) }),
      );
    };
    refuses(/not for "www.example.org"/, pair, 'www.example.org');
    refuses(/not that of the first certificate/, { ...pair, key: other.key });
    refuses(/no certificate in PEM form/, { ...pair, certificate: pair.key });
    refuses(/key cannot be read/, { ...pair, key: pair.certificate });
    refuses(/key cannot be read/, { ...pair, key: encrypted });
    refuses(/kind ec secp256k1 is not served/, await makeCertificate([HOST], { kind: 'ec:secp256k1' }));
    refuses(/kind rsa is not served/, await makeCertificate([HOST], { kind: 'rsa:1024' }));
    jest.spyOn(Date, 'now').mockReturnValueOnce(Date.now() + 31 * 86_400_000);
    refuses(/has expired/, pair);
  });

  it('stands for names as clients see it', () => {
    const names = ['example.org', '*.example.org'];
    for (const host of ['example.org', 'a.example.org', '*.example.org'])
      expect(covers(names, host)).toBe(true);
    for (const host of ['a.b.example.org', 'org', 'example.net']) expect(covers(names, host)).toBe(false);
  });
});

describe('a certificate that is brought', () => {
  let bench: SchedulerBench;
  beforeAll(async () => {
    bench = await SchedulerBench.start({ BERTH_INGRESS_TLS: 'internal' });
  });
  afterAll(() => bench.stop());

  const set = (host: string, pair: Pair): Promise<Certificate> =>
    bench.call(certificateRpc.set, { host, ...pair }, root);
  const hosts = async (): Promise<string[]> =>
    (await bench.call(certificateRpc.list, {}, root)).items.map(({ host }) => host);

  it('is told without its key, which lies encrypted, and is in no event, record or table in the clear', async () => {
    const pair = await makeCertificate([HOST]);
    const answer = await set(HOST, pair);
    expect(answer).toMatchObject({ host: HOST, names: [HOST], setBy: 'root' });
    const listed = await bench.call(certificateRpc.list, {}, root);
    expect(listed.items).toEqual([answer]);
    await eventually(() => expect(JSON.stringify(bench.events)).toContain('certificate.set.v1'));
    await eventually(() => expect(JSON.stringify(bench.records)).toContain(actions.certificateSet.name));
    const { rows: tables } = await bench.sql.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()',
    );
    const dumps = await Promise.all(
      tables.map(async ({ name }) => JSON.stringify((await bench.sql.query(`SELECT * FROM "${name}"`)).rows)),
    );
    expect(tables.map(({ name }) => name)).toContain('certificates');
    const all = [JSON.stringify([answer, listed, bench.events, bench.records]), ...dumps].join();
    const told = createPrivateKey(pair.key).export({ type: 'pkcs8', format: 'der' });
    for (const trace of [coreOf(pair), told.toString('hex'), JSON.stringify([...told]).slice(1, -1)])
      expect(all).not.toContain(trace);
  });

  it('takes the place of the one before, and goes', async () => {
    const [first, second] = [
      await makeCertificate(['*.example.net']),
      await makeCertificate(['*.example.net']),
    ];
    const before = await set('*.example.net', first);
    const after = await set('*.example.net', second);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(await hosts()).toEqual(['*.example.net', HOST]);
    await bench.call(certificateRpc.remove, { host: '*.example.net' }, root);
    expect(await hosts()).toEqual([HOST]);
    const again = bench.call(certificateRpc.remove, { host: '*.example.net' }, root);
    await expect(again).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('comes under a new key with the secrets', async () => {
    const id = async (): Promise<unknown> => (await bench.sql.query('SELECT key_id FROM certificates')).rows;
    const before = await id();
    const old = bench.environment().BERTH_SECRETS_KEY;
    const fresh = Buffer.alloc(32, 7).toString('base64');
    await bench.stopSchedulers();
    const unknown = bench.addScheduler({ BERTH_SECRETS_KEY: fresh });
    await expect(unknown).rejects.toThrow(/encrypted with other keys \(1 with /);
    await bench.addScheduler({ BERTH_SECRETS_KEY: fresh, BERTH_SECRETS_OLD_KEYS: old });
    expect(await id()).not.toEqual(before);
    await bench.stopSchedulers();
    await bench.addScheduler({ BERTH_SECRETS_KEY: fresh });
    expect(await hosts()).toEqual([HOST]);
  });

  it('is refused where policy says so, and where nothing is served over TLS', async () => {
    const pair = await makeCertificate([HOST]);
    await expect(set('other.example.org', pair)).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
    bench.neighbours.decide.set('', ({ action }) => ({ allowed: action !== 'certificate.set' }));
    await expect(set(HOST, pair)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    bench.neighbours.decide.clear();
    await bench.stopSchedulers();
    await bench.addScheduler({
      BERTH_INGRESS_TLS: 'off',
      BERTH_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    });
    await expect(set(HOST, pair)).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
