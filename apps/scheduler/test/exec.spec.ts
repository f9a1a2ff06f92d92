import { randomUUID } from 'node:crypto';
import {
  ExecEnd,
  execRpc,
  streamInputSubject,
  streamSubject,
  type ExecRequest,
  type TerminalSize,
} from '@berth/contracts';
import { Pipe } from '@berth/messaging';
import { eventually } from '@berth/testing';
import Docker from 'dockerode';
import { scriptImage } from './engine-bench.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

let bench: SchedulerBench;
let place: { project: string; environment: string };

beforeAll(async () => {
  bench = await SchedulerBench.start();
  bench.neighbours.images = { idle: await scriptImage('idle', 'echo up; sleep 1000') };
  place = await bench.shop();
  const { id } = await bench.deploy(place, 'services: { web: { image: idle } }');
  expect((await bench.finished(id)).status).toBe('succeeded');
});
afterAll(() => bench.stop());

interface Caller {
  instance: string;
  stdout: () => string;
  bytes: () => Buffer;
  stderr: () => string;
  end: Promise<ExecEnd | 'broken'>;
  type(text: string | Buffer): Promise<void>;
  say(request: ExecRequest): void;
  leave(): void;
}

interface Options {
  instance?: string;
  terminal?: TerminalSize;
  actor?: string;
  /** Resolves when the caller has read what came. */
  slow?: Promise<void>;
}

/** Starts a command as the gateway does, and holds the other end of its pipe. */
async function exec(command: string[], { instance, terminal, actor, slow }: Options = {}): Promise<Caller> {
  const stream = randomUUID();
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let ended: (end: ExecEnd | 'broken') => void = () => undefined;
  const end = new Promise<ExecEnd | 'broken'>((resolve) => (ended = resolve));
  const subjects = { send: streamInputSubject(stream), receive: streamSubject(stream) };
  const pipe = new Pipe(bench.gateway, subjects, {
    data: async (channel, data) => {
      await slow;
      written[channel as 'stdout' | 'stderr'].push(data);
    },
    note: (note) => {
      pipe.leave();
      ended(ExecEnd.parse(note));
    },
    broken: () => ended('broken'),
  });
  const text = (parts: Buffer[]) => () => Buffer.concat(parts).toString();
  try {
    const request = { ...place, service: 'web', stream, command };
    const asked = { ...request, instance: instance ?? null, terminal: terminal ?? null };
    const answer = await bench.call(execRpc.start, asked, principal(actor));
    return {
      instance: answer.instance,
      stdout: text(written.stdout),
      bytes: () => Buffer.concat(written.stdout),
      stderr: text(written.stderr),
      end,
      type: (typed) => pipe.send('stdin', Buffer.from(typed)),
      say: (note) => pipe.note(note),
      leave: () => pipe.leave(),
    };
  } catch (error) {
    pipe.leave();
    throw error;
  }
}

const exit = (code: number) => ({ type: 'exit', code });
const records = () => bench.recordsOf(place.project).filter(({ action }) => action === 'service.exec');

test('a command writes to two channels, and ends with its code; both ends of it are recorded', async () => {
  const caller = await exec(['sh', '-c', 'echo out; echo err >&2; exit 3']);
  expect(await caller.end).toEqual(exit(3));
  expect([caller.stdout(), caller.stderr()]).toEqual(['out\n', 'err\n']);
  await eventually(() => expect(records()).toHaveLength(2));
  const [begun, ended] = records();
  const { instance } = caller;
  const command = ['sh', '-c', 'echo out; echo err >&2; exit 3'];
  expect(begun).toMatchObject({ outcome: 'accepted', actor: 'ann', request: { command, instance } });
  expect(ended).toMatchObject({ outcome: 'succeeded', reason: 'exit code 3', request: { exitCode: 3 } });
  expect(begun.correlationId).toBe(ended.correlationId);
  const asked = bench.neighbours.asked.filter(({ action }) => action === 'service.exec');
  expect(asked.map(({ hook, context }) => [hook, context])).toEqual([
    ['before', { service: 'web', program: 'sh', command, line: command.join(' '), tty: false }],
    ['after', { instance, exitCode: 3 }],
  ]);
});

test('what is typed comes out again, byte for byte, however slowly it is read', async () => {
  let read: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => (read = resolve));
  const caller = await exec(['cat'], { slow });
  const sent = Buffer.alloc(3 * 1024 * 1024, 'Zebra \u0000\u00ff\n');
  const typing = caller.type(sent).then(() => caller.say({ type: 'end' }));
  read();
  await typing;
  expect(await caller.end).toEqual(exit(0));
  expect(caller.bytes().equals(sent)).toBe(true);
});

test('a terminal has the size of the window, and is told of a new one', async () => {
  const caller = await exec(['sh'], { terminal: { columns: 91, rows: 17 } });
  await caller.type('stty size\n');
  await eventually(() => expect(caller.stdout()).toContain('17 91'));
  caller.say({ type: 'resize', columns: 50, rows: 12 });
  await caller.type('stty size; exit 4\n');
  expect(await caller.end).toEqual(exit(4));
  expect(caller.stdout()).toContain('12 50');
});

test('a program that is not there ends with 127 or 126, and says so', async () => {
  const caller = await exec(['no-such-program']);
  const end = await caller.end;
  expect(end).toMatchObject({ type: 'exit' });
  expect([126, 127]).toContain((end as { code: number }).code);
  expect(caller.stdout() + caller.stderr()).toContain('no-such-program');
});

test('the instance can be named by its beginning; one that there is not is NOT_FOUND', async () => {
  const [{ instances }] = await bench.services(place);
  const caller = await exec(['true'], { instance: instances[0].id.slice(0, 8) });
  expect(caller.instance).toBe(instances[0].id);
  expect(await caller.end).toEqual(exit(0));
  await expect(exec(['true'], { instance: 'zzz' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await eventually(() => expect(records().at(-1)).toMatchObject({ outcome: 'failed', code: 'NOT_FOUND' }));
});

test('policy refuses before anything runs, by the command too', async () => {
  bench.neighbours.decide.set(place.project, ({ hook, context }) => ({
    allowed: hook !== 'before' || context.program !== 'sh',
  }));
  await expect(exec(['sh', '-c', 'echo x'])).rejects.toMatchObject({ code: 'POLICY_DENIED' });
  const allowed = await exec(['true']);
  expect(await allowed.end).toEqual(exit(0));
  bench.neighbours.decide.set(place.project, ({ hook }) => ({ allowed: hook === 'before' }));
  const ended = await exec(['true']);
  expect(await ended.end).toMatchObject({ type: 'error', problem: { code: 'POLICY_DENIED' } });
  bench.neighbours.decide.delete(place.project);
});

test('who leaves a terminal ends the shell in it', async () => {
  const caller = await exec(['sh'], { terminal: { columns: 80, rows: 24 } });
  await caller.type('exec 9>/tmp/held; sleep 500\n');
  const isThere = async (): Promise<boolean> => {
    const look = await exec(['sh', '-c', 'ps | grep -c "[s]leep 500"']);
    await look.end;
    return look.stdout().trim() !== '0';
  };
  await eventually(async () => expect(await isThere()).toBe(true));
  caller.leave();
  await eventually(async () => expect(await isThere()).toBe(false));
  await eventually(() =>
    expect(records().map(({ reason }) => reason)).toContain('its caller left before it ended'),
  );
});

test('what is typed and written is in no record, no event and no question to policy', async () => {
  const marker = `typed-${randomUUID()}`;
  const caller = await exec(['cat']);
  await caller.type(marker);
  caller.say({ type: 'end' });
  expect(await caller.end).toEqual(exit(0));
  expect(caller.stdout()).toBe(marker);
  await eventually(() => expect(records().at(-1)).toMatchObject({ outcome: 'succeeded' }));
  expect(JSON.stringify([records(), bench.neighbours.asked, bench.eventsOf(place.project)])).not.toContain(
    marker,
  );
});

test('an instance that ends under a command is told of', async () => {
  const caller = await exec(['sleep', '1000']);
  const docker = new Docker({ socketPath: bench.dockerHost.replace('unix://', '') });
  const filters = { label: [`com.docker.swarm.task.id=${caller.instance}`] };
  const [{ Id: id }] = await docker.listContainers({ filters });
  await docker.getContainer(id).kill();
  expect(await caller.end).toEqual({
    type: 'error',
    problem: expect.objectContaining({ code: 'INSTANCE_ENDED' }),
  });
});

test('a scheduler that stops tells its callers', async () => {
  await eventually(async () => expect(await (await exec(['true'])).end).toEqual(exit(0)));
  const caller = await exec(['sleep', '1000']);
  await bench.stopSchedulers();
  expect(await caller.end).toMatchObject({ type: 'error', problem: { code: 'SERVICE_UNAVAILABLE' } });
});

test('a scheduler that is killed is noticed within seconds', async () => {
  const process = await bench.startProcess();
  const caller = await exec(['sleep', '1000']);
  await process.kill();
  expect(await caller.end).toBe('broken');
}, 40_000);
