import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { policyRpc, quotaRpc, registryRpc } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { MISCOUNTED } from './team-storage.js';
import { Told } from './told.js';

const MIB = 1024 ** 2;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

interface Refused {
  errors: { code: string; message: string }[];
}

describe('the storage of a team', () => {
  let people: People;
  let told: Told;
  let registry: RegistryUnderTest;
  let beside: RegistryUnderTest;

  beforeAll(async () => {
    people = await People.start();
    told = await Told.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
    beside = await RegistryUnderTest.start({ beside: registry });
  });
  afterAll(async () => {
    await beside?.stop();
    await registry.stop();
    await told.stop();
    await people.stop();
  });
  beforeEach(async () => {
    await people.limitStorage('acme', null);
    for (const table of ['uploads', 'manifests', 'blob_links']) await registry.query(`DELETE FROM ${table}`);
  });
  afterEach(async () => expect(await registry.query(MISCOUNTED)).toEqual([]));

  const stored = async (team = 'acme'): Promise<number> => {
    const { used } = await people.rpc.call(registryRpc.storage, { teams: [team] });
    return used[team];
  };
  const begin = async (repository: string): Promise<string> => {
    const response = await registry.fetch(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    expect(response.status).toBe(202);
    return response.headers.get('location')!;
  };
  /** With its length told. */
  const push = async (
    content: Buffer,
    repository = 'acme/app',
    { at = registry, as = people.developer } = {},
  ): Promise<Response> =>
    at.fetch(`/v2/${repository}/blobs/uploads/?digest=${digestOf(content)}`, {
      method: 'POST',
      body: new Uint8Array(content),
      as,
    });
  /** Without, as docker does. */
  const stream = (location: string, chunks: Buffer[]): Promise<Response> =>
    registry.fetch(location, {
      method: 'PATCH',
      body: ReadableStream.from(chunks.map((chunk) => new Uint8Array(chunk))),
      duplex: 'half',
    } as RequestInit);
  const manifest = (text: string, tag: string, repository = 'acme/app'): Promise<Response> =>
    registry.fetch(`/v2/${repository}/manifests/${tag}`, {
      method: 'PUT',
      headers: { 'content-type': OCI_MANIFEST },
      body: text,
    });
  const expectRefused = async (response: Response, message: RegExp): Promise<void> => {
    const { errors } = (await response.json()) as Refused;
    expect({ status: response.status, code: errors[0].code }).toEqual({ status: 403, code: 'DENIED' });
    expect(errors[0].message).toMatch(message);
  };

  it('is what its repositories hold: a layer once for each team, however many of them hold it', async () => {
    const shared = randomBytes(3_000);
    const own = randomBytes(500);
    for (const repository of ['acme/app', 'acme/web'])
      expect((await push(shared, repository)).status).toBe(201);
    await push(own);
    expect(await push(shared, 'others/app', { as: people.stranger })).toMatchObject({ status: 201 });
    expect([await stored('acme'), await stored('others'), await stored('nobody')]).toEqual([3_500, 3_000, 0]);

    await registry.query(`DELETE FROM blob_links WHERE repository = 'acme/web'`);
    expect(await stored()).toBe(3_500);
    await registry.query(`DELETE FROM blob_links WHERE repository = 'acme/app'`);
    expect([await stored('acme'), await stored('others')]).toEqual([0, 3_000]);
  });

  it('is told with the limit', async () => {
    await push(randomBytes(2_048));
    await people.limitStorage('acme', 20 * MIB);
    expect(await people.rpc.call(quotaRpc.get, { scope: 'teams', name: 'acme' }, people.admin)).toMatchObject(
      { limits: { storage: '20MiB' }, used: { storage: '2KiB' } },
    );
    expect((await people.rpc.call(quotaRpc.list, {}, people.admin)).items).toContainEqual(
      expect.objectContaining({ name: 'acme', used: expect.objectContaining({ storage: '2KiB' }) }),
    );
  });

  it('has no limit but those of teams', async () => {
    const set = people.rpc.call(
      quotaRpc.set,
      { scope: 'users', name: 'ann', limits: { storage: '1GiB' } },
      people.admin,
    );
    await expect(set).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      extensions: { fields: [{ path: 'limits.storage' }] },
    });
  });

  it('takes what fits to the byte; one more is refused in words, recorded, and leaves nothing', async () => {
    await people.limitStorage('acme', MIB);
    await expectRefused(
      await push(randomBytes(MIB + 1)),
      /teams\/acme: the limit of storage is 1MiB, 0B is used, 1MiB more was asked for\. .*"berth image rm"/,
    );
    expect(await stored()).toBe(0);
    expect((await push(randomBytes(MIB))).status).toBe(201);
    await expectRefused(await push(randomBytes(1)), /1MiB is used, 1B more/);
    await eventually(async () =>
      expect((await told.refresh()).records).toContainEqual(
        expect.objectContaining({
          ...{ action: 'image.push', outcome: 'denied', code: 'QUOTA_EXCEEDED', team: 'acme', actor: 'ann' },
        }),
      ),
    );
  });

  it('takes what fits of an upload whose length nobody told, and ends it where it does not', async () => {
    await people.limitStorage('acme', 3 * MIB);
    const fits = [randomBytes(MIB), randomBytes(MIB), randomBytes(MIB)];
    const location = await begin('acme/app');
    expect((await stream(location, fits)).status).toBe(202);
    const whole = Buffer.concat(fits);
    expect((await registry.fetch(`${location}?digest=${digestOf(whole)}`, { method: 'PUT' })).status).toBe(
      201,
    );

    await people.limitStorage('acme', 5 * MIB);
    const second = await begin('acme/app');
    await expectRefused(await stream(second, [...fits, randomBytes(1)]), /the limit of storage is 5MiB/);
    expect(await stored()).toBe(3 * MIB);
    expect((await registry.fetch(second)).status).toBe(404);
  });

  it('is never more than its limit, with many who push at once to several instances', async () => {
    await people.limitStorage('acme', 10 * MIB);
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        push(randomBytes(MIB), `acme/app-${n % 3}`, { at: n % 2 === 0 ? registry : beside }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(14);
    expect(await stored()).toBe(10 * MIB);
  });

  it('is held for an upload under way, and only what it sent when it breaks off', async () => {
    await people.limitStorage('acme', 10 * MIB);
    const location = await begin('acme/app');
    const sending = request(new URL(location, registry.url), {
      method: 'PATCH',
      headers: { authorization: `Bearer ${people.developer}`, 'content-length': 8 * MIB },
    });
    sending.on('error', () => undefined);
    sending.write(randomBytes(4 * MIB));
    await eventually(async () => expect(await stored()).toBe(8 * MIB));
    await expectRefused(await push(randomBytes(4 * MIB)), /8MiB is used, 4MiB more/);
    sending.destroy();
    await eventually(async () => expect(await stored()).toBe(4 * MIB));
    expect((await push(randomBytes(4 * MIB))).status).toBe(201);
  });

  it('is free again of what an instance held that died', async () => {
    await people.limitStorage('acme', 10 * MIB);
    const location = await begin('acme/app');
    const id = location.split('/').at(-1);
    const died = `UPDATE uploads SET held = ${10 * MIB}, size = 5, writer = gen_random_uuid(),
      writer_until = now() + make_interval(secs => $2) WHERE id = $1`;
    await registry.query(died, [id, 30]);
    await expectRefused(await push(randomBytes(5)), /10MiB is used/);
    await registry.query(died, [id, -1]);
    expect(await stored()).toBe(5);
    expect((await push(randomBytes(5))).status).toBe(201);
  });

  it('takes a mounted layer for one that is added, and one that the team has for none', async () => {
    const layer = randomBytes(MIB);
    const mount = (to: string): Promise<Response> =>
      registry.fetch(`/v2/${to}/blobs/uploads/?mount=${digestOf(layer)}&from=acme/app`, { method: 'POST' });
    await push(layer);
    await people.limitStorage('acme', MIB);
    expect((await mount('acme/web')).status).toBe(201);

    await push(layer, 'others/app', { as: people.stranger });
    const member = { team: 'others', user: 'ann', role: 'viewer' } as const;
    await people.rpc.call(policyRpc.setMember, member, people.admin);
    await registry.query(`DELETE FROM blob_links WHERE repository LIKE 'acme/%'`);
    await people.limitStorage('acme', MIB - 1);
    const theirs = await registry.fetch(
      `/v2/acme/web/blobs/uploads/?mount=${digestOf(layer)}&from=others/app`,
      { method: 'POST' },
    );
    await expectRefused(theirs, /the limit of storage/);
    expect(await stored()).toBe(0);
  });

  it('takes manifests for what they are; a new tag for what is there takes nothing', async () => {
    const config = Buffer.from('{}');
    await push(config);
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [],
    });
    await people.limitStorage('acme', config.length + text.length - 1);
    await expectRefused(await manifest(text, '1'), /the limit of storage/);
    await people.limitStorage('acme', config.length + text.length);
    expect((await manifest(text, '1')).status).toBe(201);
    await people.limitStorage('acme', 1);
    expect((await manifest(text, '2')).status).toBe(201);
    expect(await stored()).toBe(config.length + text.length);
  });

  it('keeps nobody from pulling while quota is away; pushes wait for it', async () => {
    const layer = randomBytes(100);
    await push(layer);
    await people.quota.kill();
    try {
      const refused = await push(randomBytes(100));
      expect(refused.status).toBe(503);
      expect(((await refused.json()) as Refused).errors[0]).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('Quota gave no answer'),
      });
      expect((await registry.fetch(`/v2/acme/app/blobs/${digestOf(layer)}`)).status).toBe(200);
    } finally {
      await people.quota.start();
    }
    expect((await push(randomBytes(100))).status).toBe(201);
  });
});
