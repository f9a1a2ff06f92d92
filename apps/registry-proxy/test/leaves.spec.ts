import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { policyRpc } from '@berth/contracts';
import { eventually, makeImage, pushImage, type TestImage } from '@berth/testing';
import { PolicyStanding } from '../src/leave/policy-standing.js';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';

// A change is known to all within a second, and told of long before.
const SOON = { timeout: 1_000, interval: 10 };

describe('what policy allowed a moment ago', () => {
  let people: People;
  let registry: RegistryUnderTest;
  let other: RegistryUnderTest;
  let told: Told;
  let image: TestImage;

  beforeAll(async () => {
    people = await People.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
    other = await RegistryUnderTest.start({ beside: registry });
    told = await Told.start();
    image = await makeImage({ name: 'acme/web', busybox: false, files: { '/hello.txt': 'hello' } });
  });
  afterAll(async () => {
    await told.stop();
    await other.stop();
    await registry.stop();
    await people.stop();
  });

  const push = (repository: string, tag = '1'): Promise<void> =>
    pushImage(image, registry.url, { repository, tag, authorization: `Bearer ${people.developer}` });
  const status = async (
    path: string,
    init: Parameters<RegistryUnderTest['fetch']>[1] = {},
  ): Promise<number> => {
    const response = await registry.fetch(path, init);
    await response.arrayBuffer();
    return response.status;
  };
  const manifest = (repository: string, reference = '1'): string =>
    `/v2/${repository}/manifests/${reference}`;

  it('is not asked again for each of many pulls, and each of them is recorded', async () => {
    await push('acme/many');
    const before = await people.decisionsAbout('acme/many');
    for (let n = 0; n < 300; n += 1) expect(await status(manifest('acme/many'))).toBe(200);
    await eventually(async () => {
      const decisions = (await people.decisionsAbout('acme/many')) - before;
      expect(decisions).toBeGreaterThan(0);
      expect(decisions).toBeLessThan(20);
    });
    await eventually(async () => {
      const { records } = await told.refresh();
      const pulls = records.filter(
        ({ action, resource }) => action === 'image.pull' && resource.id === 'acme/many',
      );
      expect(pulls.reduce((sum, { times = 1 }) => sum + times, 0)).toBe(300);
      expect(pulls.length).toBeLessThan(30);
      expect(pulls[0]).toMatchObject({ actor: 'ann', outcome: 'succeeded', request: { reference: '1' } });
    });
  });

  it('holds for who asked, and for what was asked', async () => {
    await push('acme/mine');
    expect(await status(manifest('acme/mine'))).toBe(200);
    expect(await status(manifest('acme/mine'), { as: people.stranger })).toBe(404);
    expect(await status(manifest('acme/mine'), { as: 'berth_nobody' })).toBe(401);
    expect(await status(manifest('acme/blocked'))).toBe(403);
    const upload = await registry.fetch('/v2/acme/mine/blobs/uploads/', {
      method: 'POST',
      as: people.viewer,
    });
    expect(upload.status).toBe(403);
  });

  it('ends with a change of policy, also in the middle of pulls', async () => {
    await push('acme/closed');
    for (let round = 0; round < 5; round += 1) {
      expect(await status(manifest('acme/closed'))).toBe(200);
      const text =
        'forbid (principal, action in Berth::Action::"image.pull", resource == Berth::Image::"acme/closed");';
      await people.rpc.call(policyRpc.applyPolicy, { id: 'closed', text }, people.admin);
      await eventually(async () => expect(await status(manifest('acme/closed'))).toBe(403), SOON);
      await people.rpc.call(policyRpc.removePolicy, { id: 'closed' }, people.admin);
      await eventually(async () => expect(await status(manifest('acme/closed'))).toBe(200), SOON);
    }
  });

  it('ends with the token, and with the membership', async () => {
    await push('acme/left');
    await people.rpc.call(policyRpc.createUser, { name: 'leo' }, people.admin);
    await people.rpc.call(policyRpc.setMember, { team: 'acme', user: 'leo', role: 'viewer' }, people.admin);
    const issued = await people.rpc.call(policyRpc.createToken, { user: 'leo', name: 'spec' }, people.admin);
    const as = issued.token;
    expect(await status(manifest('acme/left'), { as })).toBe(200);
    await people.rpc.call(policyRpc.removeMember, { team: 'acme', user: 'leo' }, people.admin);
    await eventually(async () => expect(await status(manifest('acme/left'), { as })).toBe(404), SOON);
    await people.rpc.call(policyRpc.revokeToken, { id: issued.id }, people.admin);
    await eventually(async () => expect(await status(manifest('acme/left'), { as })).toBe(401), SOON);
  });

  it("is asked each time where an integrator's code has a say", async () => {
    await push('acme/hooked');
    const [yes, no] = ['{"allowed":true}', '{"allowed":false}'];
    // Asked before and after, of each pull.
    const answers = [yes, yes, no, yes, yes];
    const server: Server = createServer((_request, response) => response.end(answers.shift()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await people.rpc.call(policyRpc.setHook, { name: 'scanner', url, on: ['image.pull'] }, people.admin);
      // What was allowed before the hook was there has ended with it.
      await eventually(async () => expect(await status(manifest('acme/hooked'))).toBe(200), SOON);
      while (answers.length === 5) await status(manifest('acme/hooked'));
      expect([await status(manifest('acme/hooked')), await status(manifest('acme/hooked'))]).toEqual([
        403, 200,
      ]);
    } finally {
      server.close();
      server.closeAllConnections();
      await people.rpc.call(policyRpc.removeHook, { name: 'scanner' }, people.admin);
    }
  });

  it('finds what was pushed and deleted, here at once and in other instances soon', async () => {
    const there = async (reference: string): Promise<[number, string | null]> => {
      const response = await other.fetch(manifest('acme/moving', reference), { method: 'HEAD' });
      return [response.status, response.headers.get('docker-content-digest')];
    };
    for (let round = 0; round < 10; round += 1) {
      image = await makeImage({ name: 'acme/moving', busybox: false, files: { '/n': String(round) } });
      await push('acme/moving');
      const here = await registry.fetch(manifest('acme/moving'), { method: 'HEAD' });
      expect(here.headers.get('docker-content-digest')).toBe(image.digest);
      await eventually(async () => expect(await there('1')).toEqual([200, image.digest]), SOON);
      expect(await status(manifest('acme/moving', image.digest), { method: 'DELETE' })).toBe(202);
      expect(await status(manifest('acme/moving'))).toBe(404);
      expect(await status(manifest('acme/moving', image.digest))).toBe(404);
      await eventually(async () => expect(await there(image.digest)).toEqual([404, null]), SOON);
    }
  });

  it('counts for nothing once policy is silent', async () => {
    await push('acme/silent');
    expect(await status(manifest('acme/silent'))).toBe(200);
    const standing = registry.app.get(PolicyStanding);
    expect(standing.now).not.toBeNull();
    people.policy.signal('SIGSTOP');
    try {
      // Not only because what was allowed is good for two seconds anyhow.
      await eventually(() => expect(standing.now).toBeNull(), { timeout: 5_000, interval: 10 });
      await eventually(async () => expect(await status(manifest('acme/silent'))).toBe(503), {
        timeout: 10_000,
        interval: 10,
      });
    } finally {
      people.policy.signal('SIGCONT');
    }
    await eventually(async () => expect(await status(manifest('acme/silent'))).toBe(200), {
      timeout: 10_000,
    });
  });
});
