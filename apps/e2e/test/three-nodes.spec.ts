import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { InstanceStats, LogLine, Node, Page, Problem } from '@berth/contracts';
import { REPOSITORY } from '@berth/host';
import {
  type ApiClient,
  buildTestImage,
  eventually,
  joinNodes,
  startNodes,
  startPlatform,
  type TestNode,
  type TestNodes,
  type TestPlatform,
} from '@berth/testing';
import { ingressPage } from './support/ingress.js';
import { deploy, expectStatus, newcomer, newProject, services } from './support/people.js';

jest.setTimeout(240_000);

const PLACE = '/v1/projects/shop/environments/dev';
const SOON = { timeout: 60_000, interval: 200 };

let machines: TestNodes;
let manager: TestNode;
let workers: TestNode[];
let platform: TestPlatform;
let dana: ApiClient;

beforeAll(async () => {
  machines = await startNodes(3);
  [manager, ...workers] = machines.nodes;
  await joinNodes(machines.nodes);
  for (const version of ['1', '2']) {
    await buildTestImage({
      name: 'where',
      tag: version,
      files: { '/www/index.html': { content: `where ${version}` } },
      cmd: ['sh', '-c', 'echo "up on $(hostname)"; exec httpd -f -p 8080 -h /www'],
    });
  }
  platform = await startPlatform({ on: machines });
  dana = await newcomer(platform, 'acme', 'dana');
  await newProject(dana, 'acme', 'shop');
});
afterAll(async () => {
  await platform?.stop();
  await machines?.stop();
});

const compose = (version: string): string =>
  `services: { web: { image: "where:${version}", deploy: { replicas: 3 }, x-berth: { http: 8080 } } }`;
const page = (): Promise<string> => ingressPage(platform, 'web.dev.shop.localhost');

/** Instances of `web` that a node's own engine says run. */
async function instancesOn(node: TestNode): Promise<string[]> {
  const filter = ['--filter', 'label=berth.project=shop', '--filter', 'status=running'];
  const format = ['--format', '{{.Label "com.docker.swarm.task.id"}}'];
  return (await node.docker('ps', ...filter, ...format)).split('\n').filter(Boolean).sort();
}

async function running(): Promise<string[]> {
  const [{ instances }] = await services(dana, 'shop');
  return instances
    .filter(({ state }) => state === 'running')
    .map(({ id }) => id)
    .sort();
}

function exec(instance: string): { status: number | null; stderr: string; stdout: string } {
  const main = join(REPOSITORY, 'apps/cli/dist/main.js');
  const args = [main, 'exec', 'web', '-p', 'shop', '-e', 'dev', '--instance', instance, '--', 'hostname'];
  return spawnSync(process.execPath, args, {
    env: platform.cliEnvironment(dana.token),
    encoding: 'utf8',
    input: '',
  });
}

test('every node pulls from the registry, with what the scheduler hands over, whenever it has to', async () => {
  for (const node of machines.nodes)
    expect(await node.docker('image', 'ls', '--quiet', '--filter', 'reference=*/*/*/where')).toBe('');
  expect(await deploy(dana, 'shop', compose('1'))).toMatchObject({ status: 'succeeded' });
  for (const node of machines.nodes) expect(await instancesOn(node)).toHaveLength(1);
  await eventually(async () => expect(await page()).toBe('200 where 1'), SOON);
  // Nobody without credentials gets what they got.
  const [image] = (await workers[0].docker('ps', '--format', '{{.Image}}')).trim().split('\n');
  await expect(workers[0].docker('pull', image)).rejects.toThrow(/no basic auth credentials|unauthorized/i);
});

test('logs come from all nodes; a command and numbers only from this one, and that is said', async () => {
  const all = await running();
  const [here] = await instancesOn(manager);
  const elsewhere = (await Promise.all(workers.map(instancesOn))).flat();
  expect([here, ...elsewhere].sort()).toEqual(all);
  await eventually(async () => {
    const { items } = expectStatus(await dana.get<Page<LogLine>>(`${PLACE}/logs`), 200);
    expect(items.map(({ instance }) => instance).sort()).toEqual(all);
  });
  const { items } = expectStatus(await dana.get<Page<InstanceStats>>(`${PLACE}/stats`), 200);
  expect(items.map(({ instance }) => instance).sort()).toEqual(all);
  expect(
    items
      .filter(({ usage }) => usage === null)
      .map(({ instance }) => instance)
      .sort(),
  ).toEqual(elsewhere.sort());
  expect(exec(here)).toMatchObject({ status: 0 });
  const [there] = await instancesOn(workers[1]);
  const refused = exec(there);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('INSTANCE_ELSEWHERE');
  expect(refused.stderr).toMatch(/runs on the node "n3", and Berth reaches into those on "n1" only/);
});

test('a node that has to take over pulls with the same credentials, long after the deploy', async () => {
  const [first, second] = workers;
  await manager.docker('node', 'update', '--availability', 'drain', second.name);
  await eventually(async () => expect(await instancesOn(second)).toEqual([]), SOON);
  expect(await deploy(dana, 'shop', compose('2'))).toMatchObject({ status: 'succeeded' });
  // It has never seen the second version, and nobody deploys now.
  await platform.service('scheduler').kill();
  await manager.docker('node', 'update', '--availability', 'active', second.name);
  await manager.docker('node', 'update', '--availability', 'drain', first.name);
  await eventually(async () => {
    expect(await instancesOn(first)).toEqual([]);
    expect((await instancesOn(second)).length).toBeGreaterThan(0);
  }, SOON);
  await platform.service('scheduler').restart();
  await eventually(async () => {
    const real = (await Promise.all(machines.nodes.map(instancesOn))).flat().sort();
    expect(real).toHaveLength(3);
    expect(await running()).toEqual(real);
  }, SOON);
  await eventually(async () => expect(await page()).toBe('200 where 2'), SOON);
});

test('nodes are listed, drained and removed by admins, as far as policy lets them', async () => {
  const nodes = async (): Promise<Node[]> =>
    expectStatus(await platform.api.get<Page<Node>>('/v1/nodes'), 200).items;
  const set = (node: string, availability: string): ReturnType<typeof platform.api.put<Node & Problem>> =>
    platform.api.put<Node & Problem>(`/v1/nodes/${node}`, { availability });
  const [first, second] = workers;
  expectStatus(await set(first.name, 'active'), 200);
  expect(await nodes()).toMatchObject([
    { name: manager.name, role: 'manager', state: 'ready', availability: 'active', own: true },
    { name: first.name, role: 'worker', state: 'ready', availability: 'active', own: false },
    { name: second.name, role: 'worker', state: 'ready', availability: 'active', own: false },
  ]);
  // Nobody else: not even whether there is such a node.
  for (const name of [first.name, 'none'])
    expect((await dana.put<Problem>(`/v1/nodes/${name}`, { availability: 'drain' })).body.code).toBe(
      'POLICY_DENIED',
    );
  expect((await dana.get<Problem>('/v1/nodes')).body.code).toBe('POLICY_DENIED');
  expect((await set('none', 'drain')).body.code).toBe('NOT_FOUND');

  expect(expectStatus(await set(second.name, 'drain'), 200)).toMatchObject({ availability: 'drain' });
  await eventually(async () => expect(await instancesOn(second)).toEqual([]), SOON);
  await eventually(async () => expect(await running()).toHaveLength(3), SOON);

  const policy = {
    text: `@message("Two nodes at least.") forbid (principal, action == Berth::Action::"node.set.before", resource)
      when { context.active < 2 && context.availability != "active" };`,
  };
  expectStatus(await platform.api.put('/v1/policies/two-nodes', policy), 200);
  expect((await set(first.name, 'drain')).body).toMatchObject({ code: 'POLICY_DENIED' });
  const after = `forbid (principal, action == Berth::Action::"node.set.after", resource) when { context.availability == "pause" };`;
  expectStatus(await platform.api.put('/v1/policies/two-nodes', { text: after }), 200);
  expect((await set(first.name, 'pause')).body).toMatchObject({ code: 'POLICY_DENIED' });
  expect((await nodes())[1]).toMatchObject({ name: first.name, availability: 'active' });
  expectStatus(await platform.api.delete('/v1/policies/two-nodes'), 204);

  expectStatus(await set(first.name, 'drain'), 200);
  expect((await set(manager.name, 'drain')).body).toMatchObject({
    code: 'CONFLICT',
    detail: expect.stringContaining('only node that gets instances') as string,
  });
  const remove = (name: string): ReturnType<typeof platform.api.delete<Problem>> =>
    platform.api.delete<Problem>(`/v1/nodes/${name}`);
  expect((await remove(second.name)).body).toMatchObject({ code: 'CONFLICT' });
  expect((await remove(manager.name)).body).toMatchObject({ code: 'CONFLICT' });
  await second.docker('swarm', 'leave');
  await eventually(async () => expect((await nodes())[2]).toMatchObject({ state: 'down' }), SOON);
  expectStatus(await remove(second.name), 204);
  expect((await nodes()).map(({ name }) => name)).toEqual([manager.name, first.name]);
  await eventually(async () => {
    const path = '/v1/audit/records?action=node.*&outcome=succeeded&limit=2';
    const { items } = expectStatus(await platform.api.get<Page<{ action: string }>>(path), 200);
    expect(items).toMatchObject([
      { action: 'node.remove', request: { node: second.name, state: 'down' } },
      { action: 'node.set', request: { node: first.name, from: 'active', availability: 'drain' } },
    ]);
  });
  const cli = spawnSync(process.execPath, [join(REPOSITORY, 'apps/cli/dist/main.js'), 'node', 'ls'], {
    env: platform.cliEnvironment(platform.api.token),
    encoding: 'utf8',
  });
  expect(cli.stdout).toMatch(new RegExp(`NODE +ROLE.*\\n${manager.name} \\* +manager +ready +active`));
});
