import { connect } from 'node:net';
import {
  BerthError,
  execRpc,
  policyRpc,
  streamInputSubject,
  streamSubject,
  type Problem,
} from '@berth/contracts';
import { Pipe } from '@berth/messaging';
import { eventually } from '@berth/testing';
import { WebSocket } from 'ws';
import { Streams } from '../src/streams/streams.js';
import { startGateway, type TestGateway } from './gateway.js';

let gateway: TestGateway;
const PATH = '/v1/projects/shop/environments/dev/services/web/exec';

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

/** The scheduler's end of the pipe. */
interface Command {
  pipe: Pipe;
  typed: () => string;
  notes: unknown[];
  isLeft: () => boolean;
}

/** Plays a scheduler that runs whatever it is asked for; commands start once they may `begin`, and read once `ready`. */
function serve(ready: Promise<void> = Promise.resolve(), begin?: Promise<void>): Command[] {
  const commands: Command[] = [];
  gateway.peers.on(execRpc.start, async ({ stream }) => {
    await begin;
    let typed = '';
    let left = false;
    const notes: unknown[] = [];
    const subjects = { send: streamSubject(stream), receive: streamInputSubject(stream) };
    const pipe = new Pipe(gateway.peers.as('scheduler'), subjects, {
      data: async (_channel, data) => {
        await ready;
        typed += data.toString();
      },
      note: (note) => void notes.push(note),
      broken: () => void (left = true),
    });
    commands.push({ pipe, notes, typed: () => typed, isLeft: () => left });
    return { instance: 'i1' };
  });
  return commands;
}

interface Client {
  socket: WebSocket;
  written: () => string[];
  said: unknown[];
  closed: Promise<number>;
}

async function open(query: string, token = 'good'): Promise<Client> {
  const url = `${gateway.url.replace('http', 'ws')}${PATH}?${query}`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const written: string[] = [];
  const said: unknown[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) written.push(`${data[0]} ${data.subarray(1).toString()}`);
    else said.push(JSON.parse(data.toString()));
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, written: () => written, said, closed };
}

/** What is answered in place of a WebSocket. */
function refusal(
  query: string,
  headers: Record<string, string>,
): Promise<{ type?: string; problem: Problem }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${PATH}?${query}`, { headers });
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('it was opened')));
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('end', () => {
        resolve({ type: response.headers['content-type'], problem: JSON.parse(text) as Problem });
      });
    });
  });
}

const good = { authorization: 'Bearer good' };

test('what is typed goes in, what is written comes out, and the last word is how it ended', async () => {
  const commands = serve();
  const client = await open(
    'command=sh&command=-c&command=ls%20-l&tty=true&columns=100&rows=30&instance=abc',
  );
  const [{ payload, actor }] = gateway.peers.requests;
  expect(payload).toMatchObject({
    ...{ project: 'shop', environment: 'dev', service: 'web', instance: 'abc' },
    command: ['sh', '-c', 'ls -l'],
    terminal: { columns: 100, rows: 30 },
  });
  expect(actor?.user).toBe('mira');
  client.socket.send(Buffer.from('hello '));
  client.socket.send(JSON.stringify({ type: 'resize', columns: 50, rows: 20 }));
  client.socket.send(Buffer.from('there'));
  client.socket.send(JSON.stringify({ type: 'end' }));
  const [command] = commands;
  await eventually(() => expect(command.notes).toHaveLength(2));
  expect(command.notes).toEqual([{ type: 'resize', columns: 50, rows: 20 }, { type: 'end' }]);
  expect(command.typed()).toBe('hello there');
  await command.pipe.send('stdout', Buffer.from('one'));
  await command.pipe.send('stderr', Buffer.from('two'));
  command.pipe.finish({ type: 'exit', code: 3 });
  expect(await client.closed).toBe(1000);
  expect(client.written()).toEqual(['1 one', '2 two']);
  expect(client.said).toEqual([{ type: 'exit', code: 3 }]);
  await eventually(() => expect(gateway.app.get(Streams).size).toBe(0));
});

test('one word is a command; without a terminal none is asked for', async () => {
  const commands = serve();
  const client = await open('command=id');
  expect(gateway.peers.requests[0].payload).toMatchObject({
    command: ['id'],
    terminal: null,
    instance: null,
  });
  client.socket.close();
  await eventually(() => expect(commands[0].isLeft()).toBe(true));
});

describe('before the upgrade', () => {
  test.each([
    ['no token', 'command=id', {}, 401, 'UNAUTHENTICATED'],
    ['a token that has expired', 'command=id', { authorization: 'Bearer old' }, 401, 'TOKEN_EXPIRED'],
    ['no command', 'tty=true', good, 400, 'VALIDATION_FAILED'],
    ['an empty program', 'command=', good, 400, 'VALIDATION_FAILED'],
    ['a long command', `command=${'x'.repeat(8_193)}`, good, 400, 'VALIDATION_FAILED'],
    ['what nobody knows', 'command=id&privileged=true', good, 400, 'VALIDATION_FAILED'],
  ])('%s is a problem', async (_what, query, headers, status, code) => {
    serve();
    const { type, problem } = await refusal(query, headers as Record<string, string>);
    expect(type).toMatch(/^application\/problem\+json/);
    expect(problem).toMatchObject({ status, code });
    expect(gateway.peers.requests).toEqual([]);
  });

  test('what policy denies is a problem', async () => {
    gateway.peers.on(execRpc.start, () => {
      throw new BerthError('POLICY_DENIED', 'Policy denies it.', { policies: [{ id: 'no-exec' }] });
    });
    const { problem } = await refusal('command=id', good);
    expect(problem).toMatchObject({ status: 403, code: 'POLICY_DENIED', policies: [{ id: 'no-exec' }] });
    expect(gateway.app.get(Streams).size).toBe(0);
  });

  test('a plain request is told how to ask', async () => {
    serve();
    const { status, body } = await gateway.api.get<Problem>(`${PATH}?command=id`);
    expect([status, body.code]).toEqual([426, 'UPGRADE_REQUIRED']);
    expect(gateway.peers.requests).toEqual([]);
  });
});

/** Sends this as it is, and reads until the server ends the connection. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
    socket.once('end', () => resolve(answer)).once('error', reject);
    socket.write(text);
  });
}

function request(line: string, headers: string[], body = ''): string {
  const usual = ['Host: gateway', 'Authorization: Bearer good', `Content-Length: ${body.length}`];
  return `${[`${line} HTTP/1.1`, ...usual, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

test('a WebSocket that another route is asked for is no WebSocket', async () => {
  const answer = await raw(request('GET /v1/nowhere', ['Upgrade: websocket', 'Connection: Upgrade']));
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).toContain('"code":"NOT_FOUND"');
});

test('an upgrade to something else is left be, body and all, and the connection goes on', async () => {
  const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
  const json = 'Content-Type: application/json';
  const answers = await raw(
    request('POST /v1/projects', [json, ...upgrade], '{"wrong":1}') +
      request('GET /v1/nowhere', ['Connection: close']),
  );
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 404']);
  expect(answers).toContain('wrong');
});

describe('a command that runs', () => {
  test('is let go when its client left before it began', async () => {
    let begin: () => void = () => undefined;
    const commands = serve(undefined, new Promise((resolve) => (begin = resolve)));
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const handshake = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${'A'.repeat(22)}==`];
    socket.write(
      request(`GET ${PATH}?command=sh`, ['Upgrade: websocket', 'Connection: Upgrade', ...handshake]),
    );
    await eventually(() => expect(gateway.peers.requests).toHaveLength(1));
    socket.destroy();
    begin();
    await eventually(() => expect(commands).toHaveLength(1));
    await eventually(() => expect(commands[0].isLeft()).toBe(true));
    expect(gateway.app.get(Streams).size).toBe(0);
  });

  test('is told that its client has vanished', async () => {
    const commands = serve();
    const client = await open('command=sh');
    client.socket.terminate();
    await eventually(() => expect(commands[0].isLeft()).toBe(true));
  });

  test('ends with the problem that the scheduler tells of', async () => {
    const commands = serve();
    const client = await open('command=sh');
    const problem = new BerthError('INSTANCE_ENDED', 'It ended.').toProblem('c');
    commands[0].pipe.finish({ type: 'error', problem });
    expect(await client.closed).toBe(1011);
    expect(client.said).toEqual([{ type: 'error', problem }]);
  });

  test('ends when the scheduler leaves', async () => {
    const commands = serve();
    const client = await open('command=sh');
    commands[0].pipe.leave();
    expect(await client.closed).toBe(1011);
    expect(client.said).toMatchObject([{ type: 'error', problem: { code: 'SERVICE_UNAVAILABLE' } }]);
  });

  test('ends with its token', async () => {
    const commands = serve();
    const client = await open('command=sh');
    gateway.peers.on(policyRpc.authenticate, () => {
      throw new BerthError('TOKEN_REVOKED', 'It was revoked.');
    });
    await gateway.app.get(Streams).recheckAll();
    expect(await client.closed).toBe(1011);
    expect(client.said).toMatchObject([{ type: 'error', problem: { code: 'TOKEN_REVOKED' } }]);
    await eventually(() => expect(commands[0].isLeft()).toBe(true));
  });

  test.each(['nonsense', '{"type":"signal"}', '{"type":"resize","columns":0,"rows":1}'])(
    'is let go when its client says %s',
    async (text) => {
      const commands = serve();
      const client = await open('command=sh');
      client.socket.send(text);
      expect(await client.closed).toBe(1003);
      expect(client.said).toMatchObject([{ type: 'error', problem: { code: 'VALIDATION_FAILED' } }]);
      await eventually(() => expect(commands[0].isLeft()).toBe(true));
    },
  );

  test('makes a client wait that types faster than it reads, and loses nothing', async () => {
    let read: () => void = () => undefined;
    const commands = serve(new Promise((resolve) => (read = resolve)));
    const client = await open('command=cat');
    const piece = Buffer.alloc(256 * 1024, 'x');
    let sent = 0;
    for (let count = 0; count < 64; count++) client.socket.send(piece, () => sent++);
    await eventually(() => expect(commands).toHaveLength(1));
    expect(sent).toBeLessThan(64);
    read();
    // Of the number alone: a look that fails would print 16 MiB, and keep what it waits for from arriving.
    await eventually(() => expect(commands[0].typed().length).toBe(64 * piece.length));
    client.socket.close();
  });
});
