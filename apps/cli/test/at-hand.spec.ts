import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceStats, Service } from '@berth/contracts';
import { FakeGateway, sendEvents } from './fake-gateway.js';
import { runCli, type CliRun } from './run-cli.js';

const { PATH = '' } = process.env;
const gateway = new FakeGateway();
let environment: Record<string, string>;
const PLACE = '/v1/projects/shop/environments/dev';
const inDev = '--project shop --env dev';

beforeAll(async () => {
  environment = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'secret' };
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.reset());

const berth = (line: string): Promise<CliRun> => runCli(line.split(' '), { env: environment });
const list = (...items: unknown[]): object => ({ items, nextCursor: null });

/** In a terminal, until it has shown this; answers all that it showed. */
async function inTerminal(line: string, until: RegExp, more: Record<string, string> = {}): Promise<string> {
  const main = join(__dirname, '../dist/main.js');
  const env = { PATH, ...environment, TERM: 'xterm', ...more };
  const child = spawn('script', ['-qec', `${process.execPath} ${main} ${line}`, '/dev/null'], { env });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (until.test(text)) child.kill();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

const stats = (instance: string, usage: Partial<InstanceStats['usage']> | null = {}): InstanceStats => ({
  service: 'web',
  instance,
  usage: usage && {
    ...{ cpu: 0.251, cpuLimit: 0.5, memory: 52_428_800, memoryLimit: 134_217_728 },
    ...{ received: 1_000, sent: 2_048, receivedPerSecond: 10, sentPerSecond: 1_536 },
    ...usage,
  },
});

describe('top', () => {
  test('shows what each instance uses, once where there is no terminal', async () => {
    gateway.onJson(
      `GET ${PLACE}/stats`,
      list(stats('aaa'), stats('bbb', { cpuLimit: null }), stats('ccc', null)),
    );
    const { code, stdout } = await berth(`top web ${inDev}`);
    expect(code).toBe(0);
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(lines[1]).toEqual([
      ...['web', 'aaa', '0.25 of 0.50', '50.0MiB of 128MiB', '1000B (10B/s)', '2.0KiB (1.5KiB/s)'],
    ]);
    expect(lines[2][2]).toBe('0.25');
    expect(lines[3].slice(2)).toEqual(Array(4).fill('on another node'));
    expect(gateway.seen[0].query).toEqual({ service: 'web' });
  });

  test('--json is as the gateway says it', async () => {
    gateway.onJson(`GET ${PLACE}/stats`, list(stats('aaa')));
    expect(JSON.parse((await berth(`top ${inDev} --json`)).stdout)).toEqual(list(stats('aaa')));
  });

  test('in a terminal it goes on', async () => {
    gateway.on(`GET ${PLACE}/stats`, (_request, response) =>
      sendEvents(response, 'stats', [{ items: [stats('aaa')] }, { items: [stats('bbb', { cpu: 0.4 })] }]),
    );
    const text = await inTerminal(`top ${inDev}`, /bbb/);
    expect(text).toMatch(/\u001b\[H\u001b\[J.*aaa.*\u001b\[H\u001b\[J.*bbb +0\.40 of/s);
    expect(gateway.seen[0].query).toEqual({ follow: 'true' });
  });

  test('in a terminal, a problem ends it', async () => {
    const problem = { type: 'x', title: 'x', status: 503, detail: 'It is away.', code: 'ENGINE_UNAVAILABLE' };
    gateway.on(`GET ${PLACE}/stats`, (_request, response) => {
      sendEvents(response, 'error', [problem]);
      response.end();
    });
    expect(await inTerminal(`top ${inDev}`, /never/)).toMatch(/ENGINE_UNAVAILABLE.*: It is away\./);
  });
});

const service = (name: string, url: string | null, port: string | null = null): Service => ({
  ...{
    name,
    image: 'acme/web:1',
    release: null,
    replicas: { running: 1, desired: 1 },
    url,
    hosts: [],
    instances: [],
  },
  ports: [{ target: 80, published: 8080, protocol: 'tcp', url: port }],
});

describe('open', () => {
  test.each([
    ['open web', 0, 'http://web.example'],
    ['open', 0, 'http://web.example'],
    ['open none', 6, ''],
    ['open db', 6, ''],
  ])('%s ends with %i', async (line, code, stdout) => {
    gateway.onJson(`GET ${PLACE}/services`, list(service('web', 'http://web.example'), service('db', null)));
    const run = await berth(`${line} ${inDev}`);
    expect([run.code, run.stdout.trim()]).toEqual([code, stdout]);
  });

  test('a published port will do; of several one must be named', async () => {
    const services = [service('web', null, 'http://127.0.0.1:8080'), service('api', 'http://api.example')];
    gateway.onJson(`GET ${PLACE}/services`, list(...services));
    expect((await berth(`open web ${inDev}`)).stdout).toBe('http://127.0.0.1:8080\n');
    const json: unknown = JSON.parse((await berth(`open api ${inDev} --json`)).stdout);
    expect(json).toEqual({ service: 'api', url: 'http://api.example' });
    const { code, stderr } = await berth(`open ${inDev}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining('web, api')]);
  });

  test('in a terminal with a display the browser is opened; without one that is said', async () => {
    gateway.onJson(`GET ${PLACE}/services`, list(service('web', 'http://web.example')));
    const folder = mkdtempSync(join(tmpdir(), 'berth-open-'));
    const opener = join(folder, 'xdg-open');
    writeFileSync(opener, `#!/bin/sh\necho "$1" >"$OPENED"\n`);
    chmodSync(opener, 0o755);
    const opened = join(folder, 'opened');
    const env = { PATH: `${folder}:${PATH}`, OPENED: opened, DISPLAY: ':0' };
    const waiting = `open ${inDev}; until cat ${opened} 2>&-; do sleep 0.05; done`;
    const text = await inTerminal(waiting, /never/, env);
    expect(text.match(/http:\/\/web\.example/g)).toHaveLength(2);
    const without = await inTerminal(`open ${inDev}`, /never/, { ...env, DISPLAY: '' });
    expect(without).toContain('no browser');
    rmSync(folder, { recursive: true });
  });
});
