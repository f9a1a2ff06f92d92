import { randomBytes } from 'node:crypto';
import { registryRpc, type SetNamedUpstream } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { newImage } from './pulled-images.js';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';
import { UpstreamFront } from './upstream-front.js';

// All instances are told; whichever was asked.
const SOON = { timeout: 1_000, interval: 20 };
const PASSWORD = `secret-${randomBytes(8).toString('hex')}`;

describe('upstreams that admins add', () => {
  let people: People;
  let upstream: UpstreamFront;
  let registry: RegistryUnderTest;
  let other: RegistryUnderTest;
  let told: Told;

  beforeAll(async () => {
    people = await People.start();
    upstream = await UpstreamFront.start();
    const upstreams = { 'fixed.example': { url: upstream.url } };
    registry = await RegistryUnderTest.start({ token: people.developer, upstreams });
    other = await RegistryUnderTest.start({ beside: registry, upstreams });
    told = await Told.start();
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await told.stop();
    await other.stop();
    await registry.stop();
    await upstream.down();
    await people.stop();
  });

  const set = (request: Partial<SetNamedUpstream> & { name: string }) =>
    people.rpc.call(registryRpc.setUpstream, { url: upstream.url, tokenHosts: [], ...request }, people.admin);
  const list = async () => (await people.rpc.call(registryRpc.upstreams, {}, people.admin)).items;
  const check = (name: string) => people.rpc.call(registryRpc.checkUpstream, { name }, people.admin);
  const pull = async (name: string, repository: string, of = registry): Promise<number> =>
    (await of.fetch(`/v2/${name}/${repository}/manifests/1`)).status;
  /** What the upstream lets in, as a registry with Basic does. */
  const guard = (password: string): void => {
    const wanted = `Basic ${Buffer.from(`robot:${password}`).toString('base64')}`;
    upstream.intercept = ({ headers }, response) => {
      if (headers.authorization === wanted) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="it"' }).end();
      return true;
    };
  };

  it('are pulled through from at once, everywhere, and no more once they are removed', async () => {
    const image = await newImage();
    expect(await pull('quay.example', image.repository)).toBe(404);
    expect(await set({ name: 'quay.example' })).toMatchObject({
      ...{
        name: 'quay.example',
        url: upstream.url,
        credentials: false,
        fixed: false,
        setBy: 'admin',
        rate: null,
      },
    });
    await eventually(async () => expect(await pull('quay.example', image.repository)).toBe(200), SOON);
    await eventually(async () => expect(await pull('quay.example', image.repository, other)).toBe(200), SOON);
    expect((await list()).map(({ name, fixed }) => [name, fixed])).toEqual([
      ['fixed.example', true],
      ['quay.example', false],
    ]);
    const page = await people.rpc.call(registryRpc.upstreams, { limit: 1 }, people.admin);
    expect(page).toMatchObject({ items: [{ name: 'fixed.example' }], nextCursor: expect.any(String) });
    await people.rpc.call(registryRpc.removeUpstream, { name: 'quay.example' }, people.admin);
    await eventually(async () => expect(await pull('quay.example', image.repository)).toBe(404), SOON);
    await eventually(async () => expect(await pull('quay.example', image.repository, other)).toBe(404), SOON);
    await eventually(async () => {
      const { records, events } = await told.refresh();
      expect(events.map(({ type }) => type)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/upstream\.set\.v1$/),
          expect.stringMatching(/upstream\.removed\.v1$/),
        ]),
      );
      expect(records).toContainEqual(
        expect.objectContaining({ action: 'upstream.remove', outcome: 'succeeded' }),
      );
    });
  });

  it('keep their password to themselves, and use it', async () => {
    guard(PASSWORD);
    const image = await newImage();
    const answer = await set({ name: 'private.example', username: 'robot', password: PASSWORD });
    expect(answer.credentials).toBe(true);
    expect(await check('private.example')).toMatchObject({ answers: true, reason: null });
    await eventually(async () => expect(await pull('private.example', image.repository)).toBe(200), SOON);
    await eventually(async () => expect(await pull('private.example', image.repository, other)).toBe(200));
    const [row] = await registry.query<{ password: Buffer }>('SELECT * FROM upstreams');
    const everywhere = [
      JSON.stringify(answer),
      JSON.stringify(await list()),
      row.password.toString('latin1'),
    ];
    await eventually(async () => {
      const { records, events } = await told.refresh();
      expect(events.some(({ data }) => JSON.stringify(data).includes('private.example'))).toBe(true);
      everywhere.push(JSON.stringify(records), JSON.stringify(events));
    });
    for (const text of everywhere) expect(text).not.toContain(PASSWORD);
  });

  it('do not get it sent elsewhere by whoever can write to the database', async () => {
    guard(PASSWORD);
    await set({ name: 'moved.example', username: 'robot', password: PASSWORD });
    await registry.query(`UPDATE upstreams SET url = $1, set_at = now() WHERE name = 'moved.example'`, [
      `${upstream.url}/`,
    ]);
    await eventually(
      async () => expect(await pull('moved.example', (await newImage()).repository)).toBe(403),
      {
        timeout: 6_000,
      },
    );
  });

  it('take a changed password at once', async () => {
    guard('new');
    const image = await newImage();
    await set({ name: 'changed.example', username: 'robot', password: 'old' });
    expect(await check('changed.example')).toMatchObject({
      answers: false,
      reason: expect.stringContaining('does not take the credentials'),
    });
    await set({ name: 'changed.example', username: 'robot', password: 'new' });
    expect(await check('changed.example')).toMatchObject({ answers: true });
    await eventually(async () => expect(await pull('changed.example', image.repository)).toBe(200), SOON);
  });

  it('tell what is left of their limit, and why they do not answer', async () => {
    const image = await newImage();
    upstream.intercept = (_request, response) => {
      response
        .writeHead(404, { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' })
        .end();
      return true;
    };
    await set({ name: 'limited.example' });
    await eventually(async () => {
      await pull('limited.example', image.repository);
      expect(upstream.asked).not.toEqual([]);
    }, SOON);
    // Each instance tells what it was told.
    await eventually(async () =>
      expect((await list()).find(({ name }) => name === 'limited.example')?.rate).toEqual({
        ...{ limit: 100, remaining: 76, seconds: 21_600 },
      }),
    );
    await set({ name: 'away.example', url: 'http://127.0.0.1:9' });
    expect(await check('away.example')).toMatchObject({
      answers: false,
      reason: expect.stringContaining('cannot be reached'),
    });
  });

  it.each([
    [{ name: 'nodot' }, 'VALIDATION_FAILED'],
    [{ name: 'user.example', url: 'http://user:pw@host.example' }, 'VALIDATION_FAILED'],
    [{ name: 'file.example', url: 'file:///etc/passwd' }, 'VALIDATION_FAILED'],
    [{ name: 'half.example', username: 'robot' }, 'VALIDATION_FAILED'],
    [{ name: 'fixed.example' }, 'CONFLICT'],
  ])('are refused where they are wrong: %j', async (request, code) => {
    await expect(set(request)).rejects.toMatchObject({ code });
  });

  it('are for admins to change, and for all to see', async () => {
    const actor = await people.principal(people.developer);
    const request = { name: 'mine.example', url: upstream.url, tokenHosts: [] };
    await expect(people.rpc.call(registryRpc.setUpstream, request, { actor })).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
    await expect(
      people.rpc.call(registryRpc.removeUpstream, { name: 'never.example' }, people.admin),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(check('never.example')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await people.rpc.call(registryRpc.upstreams, {}, { actor })).toMatchObject({ nextCursor: null });
  });
});
