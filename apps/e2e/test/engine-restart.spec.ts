import type { Deployment, Parity, Problem, Service } from '@berth/contracts';
import {
  type ApiClient,
  buildTestImage,
  eventually,
  startNodes,
  startPlatform,
  type TestNodes,
  type TestPlatform,
} from '@berth/testing';
import { ingressPage } from './support/ingress.js';
import {
  deploy,
  ended,
  expectStatus,
  newcomer,
  newProject,
  postDeployment,
  services,
} from './support/people.js';

jest.setTimeout(240_000);

const SOON = { timeout: 60_000, interval: 200 };

let nodes: TestNodes;
let platform: TestPlatform;
let dana: ApiClient;

beforeAll(async () => {
  nodes = await startNodes(1);
  for (const version of ['1', '2'])
    await buildTestImage({
      name: 'page',
      tag: version,
      files: { '/www/index.html': { content: `page ${version}` } },
      cmd: ['httpd', '-f', '-p', '8080', '-h', '/www'],
    });
  await buildTestImage({ name: 'slow', cmd: ['sh', '-c', 'sleep 4; touch /tmp/ready; sleep 1000'] });
  platform = await startPlatform({ on: nodes });
  dana = await newcomer(platform, 'acme', 'dana');
  for (const project of ['shop', 'late']) await newProject(dana, 'acme', project);
});
afterAll(async () => {
  await platform?.stop();
  await nodes?.stop();
});

const compose = (version: string): string =>
  `services: { web: { image: "page:${version}", deploy: { replicas: 2 }, x-berth: { http: 8080 } } }`;

const page = (): Promise<string> => ingressPage(platform, 'web.dev.shop.localhost');

/** Containers of a service that the engine itself says run, by the ids of their instances. */
async function running(project: string): Promise<string[]> {
  const filter = ['--filter', `label=berth.project=${project}`, '--filter', 'status=running'];
  const format = ['--format', '{{.Label "com.docker.swarm.task.id"}}'];
  return (await nodes.nodes[0].docker('ps', ...filter, ...format)).split('\n').filter(Boolean).sort();
}

const runningInstances = ([{ instances }]: Service[]): string[] =>
  instances
    .filter(({ state }) => state === 'running')
    .map(({ id }) => id)
    .sort();

test('what ran before the engine was killed runs again, and what is told of it is true all along', async () => {
  const [node] = nodes.nodes;
  expect(await deploy(dana, 'shop', compose('1'))).toMatchObject({ status: 'succeeded' });
  await eventually(async () => expect(await page()).toBe('200 page 1'));
  const before = runningInstances(await services(dana, 'shop'));
  expect(before).toHaveLength(2);
  const check = 'healthcheck: { test: "test -f /tmp/ready", interval: 200ms, retries: 100 }';
  const { id } = expectStatus(
    await postDeployment(dana, 'late', `services: { web: { image: "slow:1", ${check} } }`),
    202,
  );
  await eventually(async () =>
    expect((await services(dana, 'late'))[0]?.instances[0]?.state).toBe('starting'),
  );

  await node.killEngine();
  const unknown = await dana.get<Problem>('/v1/projects/shop/environments/dev/services');
  expect([unknown.status, unknown.body.code]).toEqual([503, 'ENGINE_UNAVAILABLE']);
  const refused = await postDeployment(dana, 'shop', compose('2'));
  expect([refused.status, (refused.body as unknown as Problem).code]).toEqual([503, 'ENGINE_UNAVAILABLE']);
  await eventually(async () => {
    const { steps } = expectStatus(await dana.get<Deployment>(`/v1/deployments/${id}`), 200);
    expect(JSON.stringify(steps)).toContain('engine does not answer');
  });
  await node.startEngine();

  // Never more than the engine itself says: neither the old ones nor those that are not there yet.
  await eventually(async () => {
    const told = runningInstances(
      expectStatus(await dana.get<{ items: Service[] }>('/v1/projects/shop/environments/dev/services'), 200)
        .items,
    );
    const real = await running('shop');
    expect(real).toEqual(expect.arrayContaining(told));
    expect(told).toHaveLength(2);
    expect(told.filter((instance) => before.includes(instance))).toEqual([]);
    expect(real).toEqual(told);
  }, SOON);
  await eventually(async () => expect(await page()).toBe('200 page 1'), SOON);

  // It was under way: waited for, or given up with what is true of it. Never left open.
  const late = await ended(dana, id);
  expect(['succeeded', 'failed']).toContain(late.status);
  const lasting = runningInstances(await services(dana, 'late'));
  expect(lasting).toHaveLength(late.status === 'succeeded' ? 1 : 0);
  expect(await running('late')).toEqual(lasting);

  // Looked up in the engine at this moment, rather than found by a round a while ago.
  const { differences } = expectStatus(
    await dana.get<Parity>('/v1/projects/shop/environments/dev/parity?with=dev'),
    200,
  );
  expect(differences).toEqual([]);

  expect(await deploy(dana, 'shop', compose('2'))).toMatchObject({ status: 'succeeded' });
  await eventually(async () => expect(await page()).toBe('200 page 2'), SOON);
  await eventually(async () => {
    const told = runningInstances(await services(dana, 'shop'));
    expect(told).toHaveLength(2);
    expect(await running('shop')).toEqual(told);
  }, SOON);
});
