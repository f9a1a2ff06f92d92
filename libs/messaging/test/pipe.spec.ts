import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { streamInputSubject, streamSubject } from '@berth/contracts';
import { eventually, startTestNats, type TestNats } from '@berth/testing';
import { Pipe, type PipeHandlers } from '../src/index.js';

let nats: TestNats;
let gateway: NatsConnection;
let scheduler: NatsConnection;

beforeAll(async () => {
  nats = await startTestNats();
  gateway = await connect(nats.as('gateway'));
  scheduler = await connect(nats.as('scheduler'));
});
afterAll(async () => {
  await Promise.all([gateway.close(), scheduler.close()]);
  await nats.remove();
});

class End implements PipeHandlers {
  readonly heard: unknown[] = [];
  bytes = 0;
  isBroken = false;
  /** Until it resolves nothing is taken. */
  busy: Promise<void> = Promise.resolve();

  async data(channel: string, data: Buffer): Promise<void> {
    await this.busy;
    this.bytes += data.length;
    if (data.length < 100) this.heard.push(`${channel} ${data.toString()}`);
  }
  note(note: unknown): void {
    this.heard.push(note);
  }
  broken(): void {
    this.isBroken = true;
  }
}

async function pipe() {
  const stream = randomUUID();
  const [input, output] = [streamInputSubject(stream), streamSubject(stream)];
  const near = new End();
  const far = new End();
  const caller = new Pipe(gateway, { send: input, receive: output }, near);
  const server = new Pipe(scheduler, { send: output, receive: input }, far);
  await Promise.all([gateway.flush(), scheduler.flush()]);
  return { caller, server, near, far, input };
}

test('data and notes arrive in their order, both ways, and the last note ends it', async () => {
  const { caller, server, near, far } = await pipe();
  await caller.send('stdin', Buffer.from('one'));
  caller.note({ columns: 80 });
  await caller.send('stdin', Buffer.from('two'));
  await eventually(() => expect(far.heard).toEqual(['stdin one', { columns: 80 }, 'stdin two']));
  await server.send('stdout', Buffer.from('three'));
  server.finish({ code: 0 });
  await eventually(() => expect(near.heard).toEqual(['stdout three', { code: 0 }]));
  caller.leave();
  expect([near.isBroken, far.isBroken]).toEqual([false, false]);
});

test('a writer waits for a reader who is slow, and nothing is lost', async () => {
  const { caller, server, far } = await pipe();
  let go: () => void = () => undefined;
  far.busy = new Promise((resolve) => (go = resolve));
  let sent = 0;
  const sending = (async () => {
    for (; sent < 64; sent++) await caller.send('stdin', Buffer.alloc(64 * 1024));
  })();
  await eventually(() => expect(sent).toBeGreaterThan(5));
  await gateway.flush();
  expect(sent).toBeLessThan(10);
  go();
  await sending;
  await eventually(() => expect(far.bytes).toBe(64 * 64 * 1024));
  caller.leave();
  server.leave();
});

test('the other end learns that one has left', async () => {
  const { caller, far } = await pipe();
  caller.leave();
  await eventually(() => expect(far.isBroken).toBe(true));
});

test('a gap breaks it', async () => {
  const { near, far, input } = await pipe();
  gateway.publish(input, JSON.stringify({ type: 'data', sequence: 2, channel: 'stdin', base64: '' }));
  await eventually(() => expect([near.isBroken, far.isBroken]).toEqual([true, true]));
});

test('an end that is silent is not there', async () => {
  const far = new End();
  const stream = randomUUID();
  const subjects = { send: streamSubject(stream), receive: streamInputSubject(stream) };
  const lonely = new Pipe(scheduler, subjects, far);
  let sent = false;
  const sending = lonely.send('stdout', Buffer.alloc(2 * 1024 * 1024)).then(() => (sent = true));
  await eventually(() => expect(far.isBroken).toBe(true), { timeout: 12_000 });
  await sending;
  expect(sent).toBe(true);
}, 20_000);
