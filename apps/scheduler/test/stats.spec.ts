import { randomUUID } from 'node:crypto';
import {
  schedulerRpc,
  statsRpc,
  StreamMessage,
  streamAliveSubject,
  streamSubject,
  type InstanceStats,
} from '@berth/contracts';
import { eventually } from '@berth/testing';
import { scriptImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;
let place: { project: string; environment: string };

beforeAll(async () => {
  bench = await SchedulerBench.start();
  bench.neighbours.images = {
    busy: await scriptImage('busy', 'while true; do :; done'),
    idle: await scriptImage('idle', 'sleep 1000'),
  };
  place = await bench.shop();
  const limits = 'deploy: { resources: { limits: { cpus: "0.2", memory: 32MiB } } }';
  const compose = `services: { hard: { image: busy, ${limits} }, calm: { image: idle } }`;
  expect((await bench.finished((await bench.deploy(place, compose)).id)).status).toBe('succeeded');
});
afterAll(() => bench.stop());

interface Looking {
  looks: () => InstanceStats[][];
  end: () => { code: string | null } | undefined;
}

async function look(services: string[] | null, follow: boolean): Promise<Looking> {
  const stream = randomUUID();
  const messages: StreamMessage[] = [];
  bench.gateway.subscribe(streamSubject(stream), {
    callback: (_error, message) => void messages.push(StreamMessage.parse(message.json())),
  });
  await bench.call(statsRpc.stream, { ...place, services, stream, follow });
  bench.gateway.publish(streamAliveSubject(stream));
  return {
    looks: () => messages.flatMap((message) => (message.type === 'stats' ? [message.items] : [])),
    end: () => messages.find((message) => message.type === 'end'),
  };
}

test('a look tells what each instance uses, and under which limits', async () => {
  const { looks, end } = await look(null, false);
  await eventually(() => expect(end()).toMatchObject({ code: null }));
  const [[calm, hard]] = looks();
  expect(looks()).toHaveLength(1);
  expect([calm.service, hard.service]).toEqual(['calm', 'hard']);
  // A fifth of a core is what it may have, and it takes what it gets.
  expect(hard.usage).toMatchObject({ cpuLimit: 0.2, memoryLimit: 32 * 1024 ** 2 });
  expect(hard.usage?.cpu).toBeGreaterThan(0.02);
  expect(hard.usage?.cpu).toBeLessThan(0.4);
  expect(calm.usage?.cpu).toBeLessThan(hard.usage?.cpu ?? 0);
  expect(calm.usage?.memory).toBeGreaterThan(10_000);
  expect(calm.usage?.memory).toBeLessThan(32 * 1024 ** 2);
  const [{ instances }] = await bench.services(place);
  expect(calm.instance).toBe(instances[0].id);
  await eventually(() => {
    const kinds = bench.recordsOf(place.project).filter(({ action }) => action === 'service.stats');
    expect(kinds.map(({ kind, resource }) => [kind, resource.type])).toEqual(
      expect.arrayContaining([
        ['read', 'Environment'],
        ['read', 'Service'],
      ]),
    );
  });
});

test('who follows sees new instances, until told that a new service is not for him', async () => {
  bench.neighbours.decide.set(place.project, ({ action, resource }) => ({
    allowed: action !== 'service.stats' || !resource.id.endsWith('.late'),
  }));
  const { looks, end } = await look(null, true);
  const scaled = await bench.call(schedulerRpc.scaleService, { ...place, service: 'calm', replicas: 2 });
  await bench.finished(scaled.deployment?.id ?? '');
  await eventually(() =>
    expect(
      looks()
        .at(-1)
        ?.map(({ service }) => service),
    ).toEqual(['calm', 'calm', 'hard']),
  );
  await bench.deploy(place, 'services: { late: { image: idle } }');
  await eventually(() => expect(end()).toMatchObject({ code: 'POLICY_DENIED' }), { timeout: 20_000 });
  bench.neighbours.decide.delete(place.project);
});

test('it is denied before a look where one of the services is, and NOT_FOUND where there is none', async () => {
  bench.neighbours.decide.set(place.project, ({ resource }) => ({ allowed: !resource.id.endsWith('.late') }));
  await eventually(
    async () => expect((await bench.services(place)).map(({ name }) => name)).toEqual(['late']),
    {
      timeout: 20_000,
    },
  );
  await expect(look(null, false)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  await expect(look(['late'], false)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  await expect(look(['none'], false)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
