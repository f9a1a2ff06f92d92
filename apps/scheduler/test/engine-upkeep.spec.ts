import type { LogLine } from '@berth/contracts';
import { docker } from '@berth/testing';
import { eventually, type TestImage } from '@berth/testing';
import { engineBench, scriptImage, shopDev, type EngineBench } from './engine-bench.js';

let bench: EngineBench;
let talker: TestImage;

beforeAll(async () => {
  bench = await engineBench();
  talker = await scriptImage(
    'talker',
    'for i in 1 2 3; do echo out $i; echo err $i >&2; done; while true; do sleep 0.2; echo tick; done',
  );
  const compose = `
services:
  talk: { image: talker, volumes: ["data:/data"], user: "0:0" }
volumes: { data: }`;
  const { outcome } = await bench.run(bench.rollout(compose, { talker }));
  expect(outcome).toEqual({ state: 'running' });
});
afterAll(() => bench.clean());

const request = { services: ['talk'], follow: false, tail: 1_000, signal: new AbortController().signal };
async function collect(lines: AsyncIterable<LogLine>, enough = Infinity): Promise<LogLine[]> {
  const got: LogLine[] = [];
  for await (const line of lines) {
    got.push(line);
    if (got.length >= enough) break;
  }
  return got;
}

describe('logs', () => {
  it('come with time, stream and instance, in order', async () => {
    const [{ instances }] = await bench.engine.services(shopDev);
    const lines = await collect(bench.engine.logs(shopDev, request));
    const byStream = (stream: string) =>
      lines.filter((line) => line.stream === stream).map(({ line }) => line);
    expect(byStream('stdout').slice(0, 3)).toEqual(['out 1', 'out 2', 'out 3']);
    expect(byStream('stderr')).toEqual(['err 1', 'err 2', 'err 3']);
    expect(new Set(lines.map(({ instance }) => instance))).toEqual(new Set([instances[0].id]));
    expect(lines.map(({ time }) => time)).toEqual([...lines.map(({ time }) => time)].sort());
  });

  it('can be cut to the last lines, and to what came since', async () => {
    const all = await collect(bench.engine.logs(shopDev, request));
    const last = await collect(bench.engine.logs(shopDev, { ...request, tail: 2 }));
    expect(last.map(({ line }) => line)).toEqual(['tick', 'tick']);
    const since = new Date(all.at(-1)?.time ?? '');
    const recent = await collect(bench.engine.logs(shopDev, { ...request, since }));
    expect(recent.length).toBeLessThan(all.length);
    expect(recent.every(({ time }) => new Date(time ?? '') >= since)).toBe(true);
  });

  it('can be followed without a gap or a line twice, until one has enough', async () => {
    const past = await collect(bench.engine.logs(shopDev, { ...request, tail: 3 }));
    const followed = await collect(bench.engine.logs(shopDev, { ...request, tail: 3, follow: true }), 8);
    const key = ({ time, stream, line }: LogLine) => `${time} ${stream} ${line}`;
    expect(new Set(followed.map(key)).size).toBe(8);
    expect(followed[0].time! >= past[0].time!).toBe(true);
    const whole = (await collect(bench.engine.logs(shopDev, request))).map(key);
    const from = whole.indexOf(key(followed[0]));
    expect(followed.map(key)).toEqual(whole.slice(from, from + 8));
  });

  it('end when the reader goes', async () => {
    const stop = new AbortController();
    const reading = collect(bench.engine.logs(shopDev, { ...request, follow: true, signal: stop.signal }));
    stop.abort();
    expect((await reading).length).toBeGreaterThan(0);
  });
});

describe('what nobody knows of', () => {
  it('is found by label, and removed; what carries another label is left alone', async () => {
    const labels = (installation: string) =>
      ['installation=' + installation, 'project=ghost', 'environment=dev'].flatMap((label) => [
        '--label',
        `berth.${label}`,
      ]);
    const other = `${bench.installation}x`;
    await docker(
      bench.dockerHost,
      'network',
      'create',
      '-d',
      'overlay',
      ...labels(bench.installation),
      `${bench.installation}-ghost`,
    );
    await docker(bench.dockerHost, 'network', 'create', '-d', 'overlay', ...labels(other), `${other}-ghost`);
    try {
      const ghosts = async () => (await bench.engine.owned()).filter(({ project }) => project === 'ghost');
      const orphans = await ghosts();
      expect(orphans).toEqual([
        {
          kind: 'network',
          name: `${bench.installation}-ghost`,
          project: 'ghost',
          environment: 'dev',
          service: null,
        },
      ]);
      await bench.engine.discard(orphans[0]);
      expect(await ghosts()).toEqual([]);
      expect(
        await docker(bench.dockerHost, 'network', 'ls', '-q', '--filter', `name=${other}-ghost`),
      ).not.toBe('');
    } finally {
      await docker(bench.dockerHost, 'network', 'rm', `${other}-ghost`);
    }
  });
});

describe('removing an environment', () => {
  it('leaves no service, container, network or volume, and ends who follows its logs', async () => {
    const log = bench.engine.logs(shopDev, { ...request, follow: true })[Symbol.asyncIterator]();
    await log.next();
    const following = collect({ [Symbol.asyncIterator]: () => log });
    const left = async () => {
      const filter = ['--filter', `label=berth.installation=${bench.installation}`];
      const lists = [
        ['ps', '-aq'],
        ['service', 'ls', '-q'],
        ['network', 'ls', '-q'],
        ['volume', 'ls', '-q'],
      ];
      return (await Promise.all(lists.map((list) => docker(bench.dockerHost, ...list, ...filter))))
        .join('')
        .trim();
    };
    await bench.engine.remove(shopDev, { network: false, volumes: false });
    expect(await docker(bench.dockerHost, 'volume', 'ls', '-q')).toContain(
      `berth_${bench.installation}_shop_dev_data`,
    );
    await bench.engine.remove(shopDev, { network: true, volumes: true });
    await eventually(async () => expect(await left()).toBe(''));
    expect((await following).length).toBeGreaterThan(0);
  });
});
