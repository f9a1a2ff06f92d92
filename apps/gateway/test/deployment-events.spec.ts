import {
  BerthError,
  policyRpc,
  schedulerRpc,
  type Deployment,
  type DeploymentStep,
  type Problem,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { startGateway, type TestGateway } from './gateway.js';
import { SseClient } from './sse-client.js';
import { Streams } from '../src/streams/streams.js';

let gateway: TestGateway;
const ID = '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d';
const TIME = '2026-05-01T10:00:00.000Z';
const place = { team: 'acme', project: 'shop', environment: 'dev' };

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

function step(name: DeploymentStep['name'], status: DeploymentStep['status']): DeploymentStep {
  return { name, status, message: null, startedAt: null, finishedAt: null };
}
/** A deployment that is `reached` steps far. */
function deployment(reached: number, change: Partial<Deployment> = {}): Deployment {
  const names = ['resolving', 'policy', 'quota', 'rolling-out', 'healthy'] as const;
  return {
    id: ID,
    ...place,
    cause: 'deploy',
    configuration: 1,
    release: `sha256:${'0'.repeat(64)}`,
    status: 'running',
    reason: null,
    steps: names.map((name, index) => step(name, index < reached ? 'succeeded' : 'pending')),
    createdBy: 'mira',
    createdAt: TIME,
    finishedAt: null,
    ...change,
  };
}
const succeeded = deployment(5, { status: 'succeeded', finishedAt: TIME });
const follow = (): Promise<SseClient> => SseClient.open(`${gateway.url}/v1/deployments/${ID}/events`);
const publish = (data: Deployment, type = 'deployment.progressed.v1'): void =>
  gateway.peers.publishEvent(type, place, data);
const reachedOf = ({ steps }: Deployment): number =>
  steps.filter(({ status }) => status === 'succeeded').length;

test('begins with what is, tells each change, and ends after the end', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => deployment(3));
  const client = await follow();
  expect(client.contentType).toMatch(/^text\/event-stream/);
  await eventually(() => expect(client.data<Deployment>('deployment').map(reachedOf)).toEqual([3]));
  publish(deployment(4));
  await eventually(() => expect(client.data<Deployment>('deployment').map(reachedOf)).toEqual([3, 4]));
  publish(succeeded, 'deployment.succeeded.v1');
  await client.ended;
  expect(client.data('deployment').at(-1)).toEqual(succeeded);
  expect(client.events.map(({ id }) => id)).toEqual(['1', '2', '3']);
  expect(client.retry).toBe(1000);
});

test('ends at once when it is over already', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => succeeded);
  const client = await follow();
  await client.ended;
  expect(client.data('deployment')).toEqual([succeeded]);
});

test('misses nothing that happens while the snapshot is read', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, async () => {
    const before = deployment(3);
    publish(succeeded, 'deployment.succeeded.v1');
    await gateway.peers.as('scheduler').flush();
    return before;
  });
  const client = await follow();
  await client.ended;
  expect(client.data<Deployment>('deployment').at(-1)).toEqual(succeeded);
});

test('never goes back, whatever order the news come in, and hears of no other deployment', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => deployment(3));
  const client = await follow();
  await eventually(() => expect(client.events).toHaveLength(1));
  publish(deployment(4));
  publish(deployment(2));
  publish(deployment(5, { id: '0190c5a2-7b1e-7c3a-9c1e-000000000000' }));
  gateway.peers.as('scheduler').publish('berth.events.acme.shop.dev.deployment.progressed.v1', 'no JSON');
  publish(succeeded);
  await client.ended;
  const reached = client.data<Deployment>('deployment').map(reachedOf);
  expect(reached).toEqual([...reached].sort());
  expect(client.data<Deployment>('deployment').every(({ id }) => id === ID)).toBe(true);
});

test('is a problem, not a stream, for whoever may not see it', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => {
    throw new BerthError('NOT_FOUND', 'There is no such deployment, or you may not see it.');
  });
  const answer = await gateway.api.get<Problem>(`/v1/deployments/${ID}/events`);
  expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
});

test('is forgotten when the client leaves', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => deployment(3));
  const client = await follow();
  await eventually(() => expect(gateway.app.get(Streams).size).toBe(1));
  client.leave();
  await eventually(() => expect(gateway.app.get(Streams).size).toBe(0));
});

test('ends with the token it was asked for with', async () => {
  gateway.peers.on(schedulerRpc.getDeployment, () => deployment(3));
  const client = await follow();
  await eventually(() => expect(client.events).toHaveLength(1));
  gateway.peers.on(policyRpc.authenticate, () => {
    throw new BerthError('TOKEN_REVOKED', 'The token was revoked.');
  });
  await gateway.app.get(Streams).recheckAll();
  await client.ended;
  expect(client.data<Problem>('error')).toMatchObject([{ code: 'TOKEN_REVOKED', status: 401 }]);
});
