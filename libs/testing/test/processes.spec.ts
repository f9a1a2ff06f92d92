import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assertPortFree,
  Home,
  inheritedEnvironment,
  loadSecrets,
  runningProcess,
  startDetached,
  stopProcess,
} from '@berth/host';
import { createServer, type AddressInfo } from 'node:net';
import { eventually } from '../src/index.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-processes-'));
});

afterEach(async () => {
  await stopProcess(join(folder, 'p.pid'), { signal: 'SIGKILL' });
  rmSync(folder, { recursive: true });
});

function start(script: string): number {
  return startDetached({
    file: '/bin/sh',
    args: ['-c', script],
    env: inheritedEnvironment(),
    pidFile: join(folder, 'p.pid'),
    logFile: join(folder, 'p.log'),
  }).pid;
}

describe('processes by pidfile', () => {
  it('are known again, and stopped', async () => {
    const pid = start('sleep 60');
    expect(runningProcess(join(folder, 'p.pid'))?.pid).toBe(pid);
    expect(await stopProcess(join(folder, 'p.pid'))).toBe(true);
    expect(runningProcess(join(folder, 'p.pid'))).toBeUndefined();
    expect(await stopProcess(join(folder, 'p.pid'))).toBe(false);
  });

  it('that took over a pid are left alone', async () => {
    start('sleep 60');
    const pidFile = join(folder, 'p.pid');
    const record = JSON.parse(readFileSync(pidFile, 'utf8')) as { pid: number; startTime: string };
    writeFileSync(pidFile, JSON.stringify({ ...record, startTime: '1' }));
    expect(await stopProcess(pidFile)).toBe(false);
    writeFileSync(pidFile, JSON.stringify(record));
    expect(runningProcess(pidFile)?.pid).toBe(record.pid);
  });

  it('that ignore SIGTERM are killed after the grace period', async () => {
    start("trap '' TERM; echo ready; while :; do sleep 1; done");
    await eventually(() => expect(readFileSync(join(folder, 'p.log'), 'utf8')).toContain('ready'));
    await stopProcess(join(folder, 'p.pid'), { graceMs: 100 });
    expect(runningProcess(join(folder, 'p.pid'))).toBeUndefined();
  });
});

describe('an installation', () => {
  it('makes its secrets once, readable by nobody else', () => {
    const home = new Home(folder);
    const secrets = loadSecrets(home);
    expect(secrets.engineToken).toMatch(/^berth_[A-Za-z0-9_-]{43}$/);
    expect(loadSecrets(home)).toEqual(secrets);
    expect(statSync(home.secrets).mode & 0o777).toBe(0o600);
  });

  it('is changed by one command at a time', async () => {
    const home = new Home(folder);
    await home.exclusively(async () => {
      await expect(home.exclusively(() => Promise.resolve())).rejects.toThrow(/Another berth command/);
    });
    await expect(home.exclusively(() => Promise.resolve('free again'))).resolves.toBe('free again');
  });

  it('names the setting of a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(assertPortFree('gateway', port)).rejects.toThrow(
      `Port ${port} (gateway) is taken by another program. Set BERTH_PORT`,
    );
    server.close();
  });
});
