import { policyRpc } from '@berth/contracts';
import { eventually, makeImage, pushImage, type TestImage } from '@berth/testing';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';

describe('logging in by the token flow', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let other: RegistryUnderTest;
  let image: TestImage;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
    other = await RegistryUnderTest.start({ beside: registry });
    image = await makeImage({ name: 'acme/web', busybox: false, files: { '/a': 'login' } });
    for (const repository of ['acme/web', 'acme/api'])
      await pushImage(image, registry.url, { repository, authorization: `Bearer ${people.developer}` });
  });
  afterAll(async () => {
    await other.stop();
    await registry.stop();
    await people.stop();
  });

  const ask = (path: string, authorization: string | null, init: RequestInit = {}, of = registry) =>
    of.fetch(path, { ...init, as: null, headers: authorization === null ? {} : { authorization } });
  const basic = (password: string): string => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  /** What a client is given for a scope. */
  async function tokenFor(scope: string, password = people.developer): Promise<string> {
    const response = await ask(`/token?service=berth&scope=${encodeURIComponent(scope)}`, basic(password));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as { token: string; access_token: string; expires_in: number };
    expect(body.access_token).toBe(body.token);
    expect(body.expires_in).toBeGreaterThanOrEqual(60);
    expect(body.token).not.toContain(password);
    return `Bearer ${body.token}`;
  }
  const challenge = (response: Response): string => response.headers.get('www-authenticate') ?? '';
  const manifest = (repository: string): string => `/v2/${repository}/manifests/1`;

  it('begins with a challenge that says where, and for what', async () => {
    const { host } = new URL(registry.url);
    const realm = `Bearer realm="http://${host}/token",service="berth"`;
    expect(challenge(await ask('/v2/', null))).toBe(realm);
    expect(challenge(await ask(manifest('acme/web'), null))).toBe(
      `${realm},scope="repository:acme/web:pull"`,
    );
    const upload = await ask('/v2/acme/web/blobs/uploads/', null, { method: 'POST' });
    expect(challenge(upload)).toBe(`${realm},scope="repository:acme/web:pull,push"`);
    const behindTls = await registry.fetch('/v2/', { as: null, headers: { 'x-forwarded-proto': 'https' } });
    expect(challenge(behindTls)).toBe(realm.replace('http:', 'https:'));
  });

  it('gives a token for some repositories and rights, which every instance takes', async () => {
    const token = await tokenFor('repository:acme/web:pull');
    expect((await ask('/v2/', token)).status).toBe(200);
    expect((await ask(manifest('acme/web'), token, {}, other)).status).toBe(200);
    expect((await ask('/v2/acme/web/tags/list', token)).status).toBe(200);
    expect((await ask(`/v2/acme/web/blobs/${image.layers[0].digest}`, token)).status).toBe(200);
    for (const [path, method, scope] of [
      [manifest('acme/api'), 'GET', 'repository:acme/api:pull'],
      ['/v2/acme/web/blobs/uploads/', 'POST', 'repository:acme/web:pull,push'],
      [manifest('acme/web'), 'DELETE', 'repository:acme/web:delete'],
    ]) {
      const refused = await ask(path, token, { method });
      expect(refused.status).toBe(401);
      expect(challenge(refused)).toContain(`scope="${scope}",error="insufficient_scope"`);
    }
  });

  it('gives no more than the Berth token has', async () => {
    const viewer = await tokenFor('repository:acme/web:pull,push,delete', people.viewer);
    expect((await ask('/v2/acme/web/blobs/uploads/', viewer, { method: 'POST' })).status).toBe(403);
    const stranger = await tokenFor('repository:acme/web:pull', people.stranger);
    expect((await ask(manifest('acme/web'), stranger)).status).toBe(404);
  });

  it('asks for a token that may pull from where something is to be mounted', async () => {
    const path = `/v2/acme/web/blobs/uploads/?mount=${image.config.digest}&from=acme/api`;
    const both = await tokenFor('repository:acme/web:pull,push repository:acme/api:pull');
    expect((await ask(path, both, { method: 'POST' })).status).toBe(201);
    const one = await tokenFor('repository:acme/web:pull,push');
    const refused = await ask(path, one, { method: 'POST' });
    expect(refused.status).toBe(401);
    const scope = 'repository:acme/web:pull,push repository:acme/api:pull';
    expect(challenge(refused)).toContain(`scope="${scope}",error="insufficient_scope"`);
    expect(challenge(await ask(path, null, { method: 'POST' }))).toContain(`scope="${scope}"`);
    // Where the client itself may not pull from, it uploads.
    const foreign = await tokenFor('repository:acme/web:pull,push repository:others/api:pull');
    expect((await ask(path.replace('acme/api', 'others/api'), foreign, { method: 'POST' })).status).toBe(202);
  });

  it('is for nobody without a valid Berth token, and ends with it', async () => {
    for (const authorization of [null, basic('wrong'), 'Bearer berthr_forged'])
      expect((await ask('/token', authorization)).status).toBe(401);
    const issued = await people.rpc.call(policyRpc.createToken, { user: 'ann', name: 'login' }, people.admin);
    const token = await tokenFor('repository:acme/web:pull', issued.token);
    expect((await ask(manifest('acme/web'), token)).status).toBe(200);
    await people.rpc.call(policyRpc.revokeToken, { id: issued.id }, people.admin);
    await eventually(async () => expect((await ask(manifest('acme/web'), token)).status).toBe(401), {
      timeout: 1_500,
      interval: 20,
    });
  });
});
