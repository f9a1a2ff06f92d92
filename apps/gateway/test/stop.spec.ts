import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { policyRpc, schedulerRpc } from '@berth/contracts';
import { ApiClient, eventually, startTestNats, type TestNats } from '@berth/testing';
import { mira, Peers } from './peers.js';
import { SseClient } from './sse-client.js';

const TIME = '2026-05-01T10:00:00.000Z';
const ID = '0190c5a2-7b1e-7c3a-9c1e-8a6f3d2b1c0d';
const peers = new Peers();
let nats: TestNats;
let child: ChildProcessWithoutNullStreams;
let log = '';
let url: string;

beforeAll(async () => {
  nats = await startTestNats();
  await peers.start(nats);
  child = spawn(process.execPath, [join(__dirname, '../dist/main.js')], {
    env: { ...nats.as('gateway').env, HTTP_PORT: '0' },
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  url = await eventually(() => {
    const started = /"url":"([^"]+)"/.exec(log);
    expect(started).not.toBeNull();
    return started?.[1] ?? '';
  });
});
afterAll(async () => {
  child.kill('SIGKILL');
  await peers.stop();
  await nats.remove();
});

test('on SIGTERM live streams end, what is in flight finishes, and the process ends with 0', async () => {
  let finish = (): void => undefined;
  const busy = new Promise<void>((resolve) => (finish = resolve));
  peers.on(schedulerRpc.getDeployment, () => ({
    id: ID,
    team: 'acme',
    project: 'shop',
    environment: 'dev',
    cause: 'deploy' as const,
    configuration: 1,
    release: `sha256:${'0'.repeat(64)}`,
    status: 'running' as const,
    reason: null,
    steps: [],
    createdBy: 'mira',
    createdAt: TIME,
    finishedAt: null,
  }));
  peers.on(policyRpc.whoami, async () => {
    await busy;
    return mira;
  });
  const stream = await SseClient.open(`${url}/v1/deployments/${ID}/events`);
  await eventually(() => expect(stream.events).toHaveLength(1));
  const inFlight = new ApiClient(url, 'good').get('/v1/whoami');
  await eventually(() => expect(peers.requests.at(-1)?.subject).toBe(policyRpc.whoami.subject));

  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await stream.ended;
  expect(stream.retry).toBe(1000);
  expect(child.exitCode).toBeNull();
  finish();
  expect((await inFlight).status).toBe(200);
  expect(await exited).toBe(0);
  expect(log).not.toContain('good');
});
