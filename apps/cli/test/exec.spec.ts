import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BerthError, type ErrorCode } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { WebSocketServer, type WebSocket } from 'ws';
import { runCli, type CliOptions, type CliRun } from './run-cli.js';

/** Refuses, or speaks as the gateway does to an `exec`. */
let refuse: ErrorCode | null = null;
let serve: (socket: WebSocket, request: IncomingMessage) => void = () => undefined;
const asked: { query: URLSearchParams; token?: string }[] = [];
const sockets = new WebSocketServer({ noServer: true });
const server = createServer();
let environment: Record<string, string>;

beforeAll(async () => {
  server.on('upgrade', (request: IncomingMessage, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://gateway');
    asked.push({ query: url.searchParams, token: request.headers.authorization });
    if (url.pathname !== '/v1/projects/shop/environments/dev/services/web/exec') refuse = 'NOT_FOUND';
    if (!refuse) return sockets.handleUpgrade(request, socket, head, (open) => serve(open, request));
    const problem = new BerthError(refuse, 'It is refused.').toProblem('c-1');
    const body = JSON.stringify(problem);
    const type = 'content-type: application/problem+json';
    socket.end(`HTTP/1.1 ${problem.status} No\r\n${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  environment = { BERTH_URL: url, BERTH_TOKEN: 'secret', PATH: process.env.PATH ?? '' };
});
afterAll(() => server.close());
beforeEach(() => {
  refuse = null;
  asked.length = 0;
});

const exec = (rest: string, options: CliOptions = {}): Promise<CliRun> =>
  runCli(['exec', 'web', '--project', 'shop', '--env', 'dev', ...rest.split(' ').filter(Boolean)], {
    env: environment,
    ...options,
  });

const out = (text: string | Buffer): Buffer => Buffer.concat([Buffer.of(1), Buffer.from(text)]);
const err = (text: string): Buffer => Buffer.concat([Buffer.of(2), Buffer.from(text)]);
function exit(socket: WebSocket, code: number): void {
  socket.send(JSON.stringify({ type: 'exit', code }));
  socket.close(1000);
}
/** Sends back what is typed until there is no more. */
const echo = (socket: WebSocket): void =>
  void socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) socket.send(out(data));
    else if ((JSON.parse(data.toString()) as { type: string }).type === 'end') exit(socket, 0);
  });

test('a pipe goes through, byte for byte', async () => {
  serve = echo;
  const stdin = 'Zebra ü\n'.repeat(100_000);
  expect(await exec('-- cat', { stdin })).toEqual({ code: 0, stdout: stdin, stderr: '' });
});

test('the exit code is that of the command, and its channels stay apart', async () => {
  serve = (socket) => {
    socket.send(out('one'));
    socket.send(err('two'));
    exit(socket, 42);
  };
  expect(await exec('--instance abc -- sh -c --json')).toEqual({ code: 42, stdout: 'one', stderr: 'two' });
  const [{ query, token }] = asked;
  expect(token).toBe('Bearer secret');
  expect([query.getAll('command'), query.get('instance'), query.get('tty')]).toEqual([
    ['sh', '-c', '--json'],
    'abc',
    null,
  ]);
});

test('a command that ends before its input lets the CLI end', async () => {
  serve = (socket) => exit(socket, 0);
  const child = spawn(
    'sh',
    [
      '-c',
      `yes | "$0" "$@"`,
      process.execPath,
      join(__dirname, '../dist/main.js'),
      'exec',
      'web',
      '-p',
      'shop',
      '-e',
      'dev',
      '--',
      'true',
    ],
    { env: environment },
  );
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
});

test('who reads slowly gets all of it, and nothing else', async () => {
  let left = Infinity;
  serve = (socket) => {
    for (let count = 0; count < 8_192; count++) socket.send(out(Buffer.alloc(1_024, 'x')));
    exit(socket, 0);
    left = socket.bufferedAmount;
  };
  const args = [join(__dirname, '../dist/main.js'), 'exec', 'web', '-p', 'shop', '-e', 'dev', '--', 'big'];
  const child = spawn(process.execPath, args, { env: environment });
  let [bytes, stderr] = [0, ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // Nobody reads yet, and what is sent is more than fits on the way.
  await eventually(() => expect(left).toBeLessThan(Infinity));
  child.stdout.on('data', (piece: Buffer) => (bytes += piece.length));
  await new Promise((resolve) => child.once('close', resolve));
  expect([bytes, stderr]).toEqual([8_192 * 1_024, '']);
});

test.each([
  ['POLICY_DENIED', 4],
  ['NOT_FOUND', 6],
  ['UNAUTHENTICATED', 3],
  ['INSTANCE_ELSEWHERE', 1],
  ['SERVICE_UNAVAILABLE', 7],
] as const)('%s before the command runs ends with %i', async (code, exitCode) => {
  refuse = code;
  const run = await exec('-- true');
  expect(run).toMatchObject({ code: exitCode, stdout: '' });
  expect(run.stderr).toContain(`${code}: It is refused.`);
});

test('a problem in the middle is told, and the code is not 0', async () => {
  serve = (socket) => {
    socket.send(out('half'));
    const problem = new BerthError('INSTANCE_ENDED', 'It ended.').toProblem();
    socket.send(JSON.stringify({ type: 'error', problem }));
    socket.close(1011);
  };
  const run = await exec('-- true');
  expect(run).toMatchObject({ code: 1, stdout: 'half' });
  expect(run.stderr).toContain('INSTANCE_ENDED: It ended.');
});

test('a connection that breaks is told, and the code is not 0', async () => {
  serve = (socket) => socket.send(out('half'), () => socket.terminate());
  const run = await exec('-- true');
  expect(run).toMatchObject({ code: 7, stdout: 'half' });
  expect(run.stderr).toContain('UNREACHABLE');
});

test('nobody there is told', async () => {
  const run = await exec('-- true', { env: { ...environment, BERTH_URL: 'http://127.0.0.1:1' } });
  expect(run.code).toBe(7);
  expect(run.stderr).toContain('UNREACHABLE');
});

test('in a terminal the command is given one of the same size, and keys as they are', async () => {
  serve = (socket) => {
    socket.send(out('ready\r\n'));
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return;
      // Ctrl-C comes as a byte: it ends nothing here.
      socket.send(out(`got ${data.toString('hex')}\r\n`));
      if (data.includes(0x03)) exit(socket, 5);
    });
  };
  const main = join(__dirname, '../dist/main.js');
  const line = `stty cols 91 rows 17; ${process.execPath} ${main} exec web -p shop -e dev; echo code=$?; stty -a`;
  const child = spawn('script', ['-qec', line, '/dev/null'], { env: { ...environment, TERM: 'xterm' } });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (piece.includes('ready')) child.stdin.write('\u0003');
  });
  await new Promise((resolve) => child.once('close', resolve));
  const [{ query }] = asked;
  expect(Object.fromEntries(query)).toEqual({ command: 'sh', tty: 'true', columns: '91', rows: '17' });
  expect(text).toContain('got 03');
  expect(text).toContain('code=5');
  // The terminal is as it was.
  expect(text).toMatch(/[^-]icanon/);
});
