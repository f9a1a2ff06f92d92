import { randomUUID } from 'node:crypto';
import {
  instancesRpc,
  schedulerRpc,
  StreamMessage,
  streamAliveSubject,
  streamSubject,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { scriptImage, webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;

beforeAll(async () => {
  bench = await SchedulerBench.start();
  const [web, slow, talker] = await Promise.all([
    webImage('web-one', 'one'),
    scriptImage('slow', 'sleep 4; touch /tmp/ready; exec httpd -f -p 8080 -h /tmp'),
    scriptImage('talker', 'echo first; echo second >&2; while true; do sleep 0.2; echo tick; done'),
  ]);
  bench.neighbours.images = { web, slow, talker };
});
afterAll(() => bench.stop());
afterEach(() => bench.neighbours.silent.clear());

const slow = `
services:
  web:
    image: slow
    ports: ["8080"]
    healthcheck: { test: "test -f /tmp/ready", interval: 200ms, retries: 100 }`;
const quick = 'services: { web: { image: web, ports: ["8080"] } }';

/** A deployment whose container is up, and not healthy for some seconds yet; with the id of its instance. */
async function underWay(): Promise<{ id: string; instance: string; project: string; environment: string }> {
  const place = await bench.shop();
  const { id } = await bench.deploy(place, slow);
  const instance = await eventually(async () => {
    const [service] = await bench.services(place);
    expect(service?.instances[0]?.state).toBe('starting');
    return service.instances[0].id;
  });
  return { ...place, id, instance };
}

describe('a deployment under way', () => {
  it('is handed over when its scheduler is asked to stop, and goes on with the same container', async () => {
    const { id, instance, ...place } = await underWay();
    await bench.stopSchedulers();
    const { rows } = await bench.sql.query('SELECT status, lease_owner FROM deployments WHERE id = $1', [id]);
    expect(rows).toEqual([{ status: 'running', lease_owner: null }]);
    await bench.addScheduler();
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    expect((await bench.services(place))[0].instances.map((one) => one.id)).toEqual([instance]);
  });

  it('is left alone by one who has lost its lease, and taken up when that has run out', async () => {
    const { id, instance, ...place } = await underWay();
    const other = randomUUID();
    await bench.sql.query(
      `UPDATE deployments SET lease_owner = $2, lease_until = now() + interval '3 seconds' WHERE id = $1`,
      [id, other],
    );
    await eventually(async () => {
      const { rows } = await bench.sql.query<{ lease_owner: string }>(
        'SELECT lease_owner FROM deployments WHERE id = $1',
        [id],
      );
      expect(rows[0].lease_owner).not.toBe(other);
    });
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    expect((await bench.services(place))[0].instances.map((one) => one.id)).toEqual([instance]);
    // Events come after the change that they tell of.
    await eventually(() => {
      const ends = bench.eventsOf(place.project).filter(({ type }) => type === 'deployment.succeeded.v1');
      expect(ends).toHaveLength(1);
    });
  });
});

describe('a scheduler that is killed in the middle of a deployment', () => {
  it('goes on with it when it is back: one container, one end, nothing told twice', async () => {
    const scheduler = await bench.startProcess();
    try {
      const { id, instance, project, environment } = await underWay();
      await scheduler.kill('SIGKILL');
      await scheduler.start();
      expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
      const [{ instances }] = await bench.services({ project, environment });
      expect(instances.map((one) => one.id)).toEqual([instance]);
      await eventually(() => expect(bench.neighbours.words('commit')).toContainEqual({ id }));
      await eventually(() => {
        const ends = bench.recordsOf(project).filter(({ action }) => action === 'deployment.create');
        expect(ends.map(({ outcome }) => outcome)).toEqual(['accepted', 'succeeded']);
      });
      const told = (): string[] =>
        bench
          .eventsOf(project)
          .map(({ type }) => type)
          .filter((type) => ['deployment.created.v1', 'deployment.succeeded.v1'].includes(type));
      await eventually(() => expect(told()).toEqual(['deployment.created.v1', 'deployment.succeeded.v1']));
    } finally {
      await scheduler.kill('SIGTERM');
      await bench.addScheduler();
    }
  });
});

describe('when quota gives no answer', () => {
  it('nothing is deployed', async () => {
    const place = await bench.shop();
    bench.neighbours.silent.add('quota');
    await expect(bench.deploy(place, quick)).rejects.toMatchObject({ code: 'QUOTA_UNAVAILABLE' });
    expect(await bench.services(place)).toEqual([]);
    bench.neighbours.silent.clear();
    // It may have been held although no answer came.
    await eventually(() => expect(bench.neighbours.words('release')).toHaveLength(1));
  });

  it('it hears of the end later', async () => {
    const { id } = await underWay();
    bench.neighbours.silent.add('quota');
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    expect(bench.neighbours.words('commit')).not.toContainEqual({ id });
    bench.neighbours.silent.clear();
    await eventually(() => expect(bench.neighbours.words('commit')).toContainEqual({ id }), {
      timeout: 20_000,
    });
  });
});

describe('when policy gives no answer', () => {
  it('nothing is deployed', async () => {
    const place = await bench.shop();
    bench.neighbours.silent.add('policy');
    await expect(bench.deploy(place, quick)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    bench.neighbours.silent.clear();
    expect(await bench.services(place)).toEqual([]);
  });

  it('what came up waits for its judgement', async () => {
    const { id, project, environment } = await underWay();
    bench.neighbours.silent.add('policy');
    await eventually(
      async () => {
        const { rows } = await bench.sql.query<{ steps: unknown }>(
          'SELECT steps FROM deployments WHERE id = $1',
          [id],
        );
        expect(JSON.stringify(rows[0].steps)).toContain('asking policy');
      },
      { timeout: 20_000 },
    );
    bench.neighbours.silent.clear();
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    expect((await bench.services({ project, environment }))[0].replicas).toEqual({ running: 1, desired: 1 });
  });
});

describe('without an engine', () => {
  it('a deployment is turned away, and what needs none still works', async () => {
    const lonely = await SchedulerBench.start({ DOCKER_HOST: 'unix:///nowhere.sock' });
    try {
      const place = await lonely.shop();
      await expect(lonely.deploy(place, quick)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      await expect(lonely.services(place)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      expect(await lonely.call(schedulerRpc.getEnvironment, place)).toMatchObject({ release: null });
    } finally {
      await lonely.stop();
    }
  });
});

describe('the output of a service', () => {
  it('is streamed while its reader is alive, and ends with a word', async () => {
    const place = await bench.shop();
    await bench.finished((await bench.deploy(place, 'services: { talk: { image: talker } }')).id);
    const stream = randomUUID();
    const messages: StreamMessage[] = [];
    bench.gateway.subscribe(streamSubject(stream), {
      callback: (_error, message) => void messages.push(StreamMessage.parse(message.json())),
    });
    bench.gateway.publish(streamAliveSubject(stream));
    await bench.gateway.flush();
    const request = { ...place, service: 'talk', stream, tail: 1_000 };
    await bench.call(instancesRpc.streamLogs, { ...request, follow: true });
    const lines = () => messages.flatMap((message) => (message.type === 'line' ? [message.line] : []));
    await eventually(() => expect(lines().length).toBeGreaterThan(10));
    expect(lines().find(({ line }) => line === 'first')).toMatchObject({ service: 'talk', stream: 'stdout' });
    expect(lines().find(({ line }) => line === 'second')).toMatchObject({ stream: 'stderr' });
    await bench.call(schedulerRpc.removeEnvironment, { ...place, volumes: true });
    await eventually(() => expect(messages.at(-1)).toEqual({ type: 'end', code: null, detail: null }));
  });

  it('is NOT_FOUND where there is no such service', async () => {
    const place = await bench.shop();
    const request = { ...place, service: 'none', stream: randomUUID(), follow: false, tail: 1 };
    await expect(bench.call(instancesRpc.streamLogs, request)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of several services is denied where the output of one of them is', async () => {
    const place = await bench.shop();
    const compose = 'services: { talk: { image: talker }, quiet: { image: talker } }';
    await bench.finished((await bench.deploy(place, compose)).id);
    bench.neighbours.decide.set(place.project, ({ resource }) => ({
      allowed: !resource.id.endsWith('.quiet'),
    }));
    const request = { ...place, stream: randomUUID(), follow: false, tail: 1 };
    const ask = (services: string[] | null) =>
      bench.call(instancesRpc.streamEnvironmentLogs, { ...request, services });
    await expect(ask(null)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    await expect(ask(['quiet', 'talk'])).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    await expect(ask(['talk'])).resolves.toEqual({ stream: request.stream });
    await expect(ask(['talk', 'none'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    bench.neighbours.decide.delete(place.project);
  });
});
