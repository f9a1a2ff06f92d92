import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { BuildNote, BuildOptions, buildRpc, streamInputSubject, streamSubject } from '@berth/contracts';
import { Pipe } from '@berth/messaging';
import { eventually, testEngine, upstreamRegistry } from '@berth/testing';
import { pack } from 'tar-stream';
import { scriptImage } from './engine-bench.js';
import { connectDocker } from '../src/engine/swarm/docker-client.js';
import { EngineGate } from './engine-gate.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

const MIB = 1024 * 1024;
let bench: SchedulerBench;
let project: string;

let gate: EngineGate;

beforeAll(async () => {
  gate = new EngineGate(await testEngine());
  await gate.open();
  bench = await SchedulerBench.start({
    DOCKER_HOST: gate.address,
    ...{
      SCHEDULER_BUILD_MEMORY: 64 * MIB,
      SCHEDULER_BUILD_CONTEXT: MIB,
      SCHEDULER_BUILDS: 1,
      SCHEDULER_BUILD_SECONDS: 15,
    },
  });
  bench.neighbours.images = { base: await scriptImage('built-from', 'echo base') };
  ({ project } = await bench.shop());
});
afterAll(async () => {
  const docker = connectDocker(bench.dockerHost);
  const { address } = await upstreamRegistry();
  const made = await docker.listImages({
    filters: { reference: [`${address}/acme/${project}/*`, `${address}/acme/${project}`] },
  });
  for (const { Id } of made) await docker.getImage(Id).remove({ force: true });
  await bench.stop();
  await gate.shut();
});

async function tar(files: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
  archive.finalize();
  return buffer(archive);
}

interface Caller {
  log: () => string;
  end: Promise<BuildNote | 'broken'>;
  leave(): void;
}

/** Asks for a build as the gateway does, and holds the other end of its pipe. */
async function start(
  context: Buffer,
  options: Partial<BuildOptions> = {},
  actor = principal(),
): Promise<Caller> {
  const stream = randomUUID();
  const lines: Buffer[] = [];
  let ended: (end: BuildNote | 'broken') => void = () => undefined;
  const end = new Promise<BuildNote | 'broken'>((resolve) => (ended = resolve));
  const subjects = { send: streamInputSubject(stream), receive: streamSubject(stream) };
  const pipe = new Pipe(bench.gateway, subjects, {
    data: (_channel, data) => void lines.push(data),
    note: async (said) => {
      const note = BuildNote.parse(said);
      if (note.type !== 'ready') {
        pipe.leave();
        return ended(note);
      }
      await pipe.send('context', context);
      pipe.note({});
    },
    broken: () => ended('broken'),
  });
  const asked = bench.call(buildRpc.start, { project, stream, options: BuildOptions.parse(options) }, actor);
  try {
    await asked;
    return { log: () => Buffer.concat(lines).toString(), end, leave: () => pipe.leave() };
  } catch (error) {
    pipe.leave();
    throw error;
  }
}

const records = () => bench.records.filter(({ action }) => action === 'image.build');
const dockerfile = (...lines: string[]): Promise<Buffer> =>
  tar({ Dockerfile: ['FROM base', 'USER 0', ...lines, ''].join('\n') });
const problem = (code: string, detail: unknown = expect.any(String)) => ({
  type: 'error',
  problem: expect.objectContaining({ code, detail }),
});
const asked = () => bench.neighbours.asked.filter(({ action }) => action === 'image.build');
const kinds = () => bench.neighbours.quota.map(({ kind }) => kind);

beforeEach(() => {
  bench.neighbours.asked.length = 0;
  bench.neighbours.quota.length = 0;
});

test('an image is built from what it was found to start from, judged, and put into the registry', async () => {
  const context = await tar({
    Dockerfile:
      'ARG WHICH=none\nFROM ${WHICH}\nARG NAME\nUSER 0\nCOPY . /app/\nRUN echo "hello $NAME" && ls -A /app\nLABEL a=b\nEXPOSE 80\nUSER 1000\n',
    'page.html': 'a page',
  });
  const build = await start(context, { name: 'web', tag: 'v1', arg: ['WHICH=base', 'NAME=ann', 'UNUSED=x'] });
  const end = await build.end;
  const repository = `acme/${project}/web`;
  expect(end).toMatchObject({ type: 'built', image: { repository, tag: 'v1' } });
  const lines = build.log().split('\n');
  expect(lines).toEqual(expect.arrayContaining(['hello ann', 'Dockerfile', 'page.html']));
  expect(lines).not.toContain('.dockerignore');

  const { digest } = (end as Extract<BuildNote, { type: 'built' }>).image;
  const { url } = await upstreamRegistry();
  const stored = await fetch(`${url}/v2/${repository}/manifests/v1`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  expect([stored.status, stored.headers.get('docker-content-digest')]).toEqual([200, digest]);

  const [before, after] = asked();
  const { digest: base } = bench.neighbours.images.base;
  expect(before.context).toMatchObject({
    ...{
      project,
      registry: 'berth',
      repository,
      tag: 'v1',
      dockerfile: 'Dockerfile',
      commands: 1,
      network: false,
    },
    ...{
      arguments: ['NAME', 'UNUSED', 'WHICH'],
      bases: ['library/built-from'],
      baseTags: ['latest'],
      baseDigests: [base],
    },
    ...{ contextBytes: context.length, cpuMillis: 1_000, memoryBytes: 64 * MIB },
  });
  expect(after.context).toMatchObject({
    ...{ user: '1000', labels: expect.arrayContaining(['a=b']), exposedPorts: ['80/tcp'], volumes: [] },
    platform: expect.stringMatching(/^linux\//),
  });
  await eventually(() => expect(records()).toHaveLength(2));
  expect(records()).toMatchObject([
    { outcome: 'accepted', actor: 'ann', resource: { id: repository }, team: 'acme' },
    { outcome: 'succeeded', request: { digest }, decisions: [expect.any(String), expect.any(String)] },
  ]);
  expect(JSON.stringify(records())).not.toContain('=ann');
  await eventually(() => expect(kinds()).toEqual(['reserve', 'release']));
  const [held] = bench.neighbours.words('reserve');
  expect(held).toMatchObject({ team: 'acme', project, amounts: { cpu: 1, memory: 64 * MIB, instances: 0 } });
});

test('what takes more memory than it may is ended', async () => {
  const build = await start(await dockerfile('RUN tail /dev/zero'));
  expect(await build.end).toEqual(
    problem('BUILD_FAILED', expect.stringContaining('returned a non-zero code: 137')),
  );
});

test('builds beyond those that may go on at once wait, and say so', async () => {
  const first = await start(await dockerfile('RUN sleep 1; date +%s%N'), { name: 'first', cache: false });
  const second = await start(await dockerfile('RUN true'), { name: 'second', cache: false });
  await eventually(() => expect(second.log()).toBe('Waiting: 1 other build comes first.\n'));
  expect(await first.end).toMatchObject({ type: 'built' });
  expect(await second.end).toMatchObject({ type: 'built' });
});

test.each(['policy', 'quota'] as const)('without an answer of %s nothing is built', async (silent) => {
  bench.neighbours.silent.add(silent);
  try {
    const code = silent === 'policy' ? 'POLICY_UNAVAILABLE' : 'QUOTA_UNAVAILABLE';
    await expect(start(await dockerfile('RUN true'))).rejects.toMatchObject({ code });
  } finally {
    bench.neighbours.silent.clear();
  }
});

test('a context that is too large, or has no Dockerfile, is refused before policy is asked', async () => {
  await expect(start(await tar({ Dockerfile: 'x'.repeat(MIB) }))).rejects.toMatchObject({
    code: 'BODY_TOO_LARGE',
  });
  await expect(start(await tar({ other: 'x' }))).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
  await expect(start(await tar({ Dockerfile: 'FROM nowhere' }))).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
  });
  expect(asked()).toEqual([]);
});

test('whoever is no member of the team is asked about at once, with nothing taken in', async () => {
  bench.neighbours.decide.set('', () => ({ allowed: false, visible: false }));
  try {
    await expect(start(Buffer.alloc(0), {}, principal('eve', 'others'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  } finally {
    bench.neighbours.decide.delete('');
  }
  expect(asked()).toMatchObject([{ hook: 'before', context: { bases: [], contextBytes: 0 } }]);
});

test('one that takes too long ends', async () => {
  const build = await start(await dockerfile('RUN sleep 986'), { cache: false });
  expect(await build.end).toEqual(problem('BUILD_FAILED', 'The image was not built within 15 seconds.'));
  await eventually(() => expect(records().at(-1)).toMatchObject({ outcome: 'failed', code: 'BUILD_FAILED' }));
});

test('an engine that goes away in the middle is told of, and the quota given back', async () => {
  const build = await start(await dockerfile('RUN echo begun; sleep 985'), { cache: false });
  await eventually(() => expect(build.log()).toContain('begun'));
  await gate.shut();
  try {
    expect(await build.end).toEqual(problem('ENGINE_UNAVAILABLE'));
  } finally {
    await gate.open();
  }
  await eventually(() => expect(kinds()).toEqual(['reserve', 'release']));
});

test('a scheduler that stops ends its builds, and says so', async () => {
  const build = await start(await dockerfile('RUN echo begun; sleep 984'), { cache: false });
  await eventually(() => expect(build.log()).toContain('begun'));
  await bench.stopSchedulers();
  expect(await build.end).toEqual(problem('SERVICE_UNAVAILABLE', expect.stringContaining('stops')));
  await bench.addScheduler();
  await eventually(() =>
    expect(records().at(-1)).toMatchObject({ outcome: 'failed', code: 'SERVICE_UNAVAILABLE' }),
  );
  await eventually(() => expect(kinds()).toEqual(['reserve', 'release']));
});
