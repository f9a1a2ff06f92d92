import { Writable } from 'node:stream';
import { setImmediate as soon } from 'node:timers/promises';
import { SseStream } from './sse-stream.js';

/** All that a reader gets who reads everything. */
async function read(stream: SseStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test('an event is its number, its kind and its data on one line', async () => {
  const stream = new SseStream({ keep: 10 });
  stream.send({ event: 'log', data: { line: 'a\nb' } });
  stream.finish();
  expect(await read(stream)).toBe('retry: 1000\n\nid: 1\nevent: log\ndata: {"line":"a\\nb"}\n\n');
});

test('what is sent after the end is not', async () => {
  const stream = new SseStream({ keep: 10 });
  stream.finish({ event: 'error', data: 1 });
  stream.send({ event: 'log', data: 2 });
  expect(await read(stream)).toMatch(/data: 1\n\n$/);
});

test('a heartbeat is a comment, once somebody reads', async () => {
  const stream = new SseStream({ keep: 10 });
  stream.heartbeat();
  const reading = read(stream);
  await soon();
  stream.heartbeat();
  stream.finish();
  expect(await reading).toBe('retry: 1000\n\n: alive\n\n');
});

describe('a reader that takes nothing', () => {
  const big = 'x'.repeat(10_000);

  async function stalled(stream: SseStream): Promise<void> {
    stream.pipe(new Writable({ highWaterMark: 1, write: () => undefined }));
    await soon();
  }

  test('costs no more than the newest, where each event says all', async () => {
    const stream = new SseStream({ keep: 'latest' });
    await stalled(stream);
    for (let sent = 0; sent < 1_000; sent++) stream.send({ event: 'deployment', data: big + sent });
    expect(stream.waitingEvents).toBe(1);
    expect(stream.readableLength).toBeLessThan(200_000);
    stream.destroy();
  });

  test('costs no more than was allowed, and is told how many it missed', async () => {
    const stream = new SseStream({ keep: 5 });
    for (let sent = 0; sent < 12; sent++) stream.send({ event: 'log', data: sent });
    expect(stream.waitingEvents).toBe(5);
    stream.finish();
    expect(await read(stream)).toMatch(/data: 4\n\nid: 6\nevent: lost\ndata: \{"count":7\}\n\n$/);
  });
});
