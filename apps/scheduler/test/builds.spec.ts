import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { BuildNote, BuildOptions, buildRpc, streamInputSubject, streamSubject } from '@berth/contracts';
import { Pipe } from '@berth/messaging';
import { eventually, upstreamRegistry } from '@berth/testing';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { scriptImage } from './engine-bench.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;
let project: string;

beforeAll(async () => {
  bench = await SchedulerBench.start({ SCHEDULER_BUILD_MEMORY: 64 * 1024 * 1024, SCHEDULER_BUILDS: 1 });
  bench.neighbours.images = { base: await scriptImage('base', 'echo base') };
  ({ project } = await bench.shop());
});
afterAll(async () => {
  const docker = new Docker({ socketPath: bench.dockerHost.slice('unix://'.length) });
  const { address } = await upstreamRegistry();
  const made = await docker.listImages({
    filters: { reference: [`${address}/acme/${project}/*`, `${address}/acme/${project}`] },
  });
  for (const { Id } of made) await docker.getImage(Id).remove({ force: true });
  await bench.stop();
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

test('an image is built from what it was found to start from, judged, and put into the registry', async () => {
  const context = await tar({
    Dockerfile:
      'ARG WHICH=none\nFROM ${WHICH}\nARG NAME\nUSER 0\nCOPY . /app/\nRUN echo "hello $NAME" > /greeting && ls -A /app\nUSER 1000\nLABEL a=b\n',
    'page.html': 'a page',
  });
  const build = await start(context, { name: 'web', tag: 'v1', arg: ['WHICH=base', 'NAME=ann', 'UNUSED=x'] });
  const end = await build.end;
  expect([end, build.log()]).toEqual([expect.objectContaining({ type: 'built' }), expect.any(String)]);
  console.log(JSON.stringify(end), build.log());
  await eventually(() => expect(records()).toHaveLength(2));
  console.log(JSON.stringify(records(), null, 1));
});
