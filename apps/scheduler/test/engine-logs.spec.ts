import type { LogLine } from '@berth/contracts';
import { eventually, type TestImage } from '@berth/testing';
import { engineBench, scriptImage, shopDev, type EngineBench } from './engine-bench.js';

// Each instance counts its lines, and says how far it came when it is told to end.
const COUNT = `i=0; trap 'echo bye $V $i; exit 0' TERM; while true; do i=$((i+1)); echo $V $i; sleep 0.02; done`;

let bench: EngineBench;
let images: Record<string, TestImage>;

beforeAll(async () => {
  bench = await engineBench();
  images = { count: await scriptImage('count', COUNT) };
});
afterAll(() => bench.clean());

const compose = (services: Record<string, string>): string =>
  `services:\n${Object.entries(services)
    .map(
      ([name, version]) =>
        `  ${name}: { image: count, environment: { V: ${version} }, stop_grace_period: 5s }`,
    )
    .join('\n')}`;

async function deploy(services: Record<string, string>): Promise<void> {
  const rollout = bench.rollout(compose(services), images);
  expect((await bench.run(rollout)).outcome).toEqual({ state: 'running' });
  await bench.engine.removeOthers(rollout);
}

interface Reader {
  lines: LogLine[];
  admitted: string[];
  stop(): Promise<void>;
}

function follow(services: string[] | null, refuse?: string): Reader {
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const admitted: string[] = [];
  const admit = (name: string): Promise<void> => {
    admitted.push(name);
    return name === refuse ? Promise.reject(new Error(`${name} is not for you`)) : Promise.resolve();
  };
  const request = { services, follow: true, tail: 1_000, signal: stop.signal, admit };
  const reading = (async () => {
    for await (const line of bench.engine.logs(shopDev, request)) lines.push(line);
  })();
  reading.catch(() => undefined);
  return {
    lines,
    admitted,
    stop: () => {
      stop.abort();
      return reading;
    },
  };
}

/** What one version of a service wrote, without its last words. */
const numbers = (lines: LogLine[], service: string, version: string): number[] =>
  lines
    .filter((line) => line.service === service && line.line.startsWith(`${version} `))
    .map(({ line }) => Number(line.split(' ')[1]));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const goodbye = (lines: LogLine[], version: string): number =>
  Number(lines.find(({ line }) => line.startsWith(`bye ${version} `))?.line.split(' ')[2]);

test('all services are followed through rollouts, with no line lost and none twice', async () => {
  await deploy({ web: 'one', worker: 'w' });
  const reader = follow(null);
  await eventually(() => expect(numbers(reader.lines, 'web', 'one').length).toBeGreaterThan(20));
  for (const version of ['two', 'three']) await deploy({ web: version, worker: 'w', extra: 'e' });
  await eventually(() => expect(numbers(reader.lines, 'web', 'three').length).toBeGreaterThan(50), {
    timeout: 20_000,
  });
  await eventually(() => expect(goodbye(reader.lines, 'two')).toBeGreaterThan(0), { timeout: 20_000 });
  await reader.stop();
  for (const version of ['one', 'two'])
    expect(numbers(reader.lines, 'web', version)).toEqual(upTo(goodbye(reader.lines, version)));
  for (const [name, version] of [
    ['web', 'three'],
    ['worker', 'w'],
    ['extra', 'e'],
  ]) {
    const written = numbers(reader.lines, name, version);
    expect(written).toEqual(upTo(written.length));
    expect(written.length).toBeGreaterThan(50);
  }
  expect(new Set(reader.admitted)).toEqual(new Set(['web', 'worker', 'extra']));
});

test('the past of several services is in order of time, each cut to its tail', async () => {
  const request = { follow: false, tail: 5, signal: new AbortController().signal };
  const lines: LogLine[] = [];
  for await (const line of bench.engine.logs(shopDev, { ...request, services: ['web', 'worker'] }))
    lines.push(line);
  expect(lines.filter(({ service }) => service === 'web')).toHaveLength(5);
  expect(lines.filter(({ service }) => service === 'worker')).toHaveLength(5);
  expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).sort());
});

test('a service that may not be read ends the stream when it comes', async () => {
  const reader = follow(null, 'late');
  await eventually(() => expect(reader.lines.length).toBeGreaterThan(0));
  await deploy({ web: 'three', late: 'l' });
  await eventually(() => expect(reader.admitted).toContain('late'));
  await expect(reader.stop()).rejects.toThrow('late is not for you');
  expect(reader.lines.filter(({ service }) => service === 'late')).toEqual([]);
});
