import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AuditRecord, Page } from '@berth/contracts';
import { REPOSITORY } from '@berth/host';
import { type ApiClient, buildTestImage, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { filesWith, formsOf, tablesWith } from './support/leaks.js';
import { deploy, expectStatus, newcomer, newProject } from './support/people.js';

jest.setTimeout(180_000);

let platform: TestPlatform;
let dana: ApiClient;
let viewer: ApiClient;

beforeAll(async () => {
  await buildTestImage({ name: 'idle', cmd: ['sh', '-c', 'echo up; sleep 1000'] });
  platform = await startPlatform({ logLevel: 'trace' });
  dana = await newcomer(platform, 'acme', 'dana');
  viewer = await newcomer(platform, 'acme', 'vera', 'viewer');
  await newProject(dana, 'acme', 'shop');
  expect(await deploy(dana, 'shop', 'services: { web: { image: idle:1 } }')).toMatchObject({
    status: 'succeeded',
  });
});
afterAll(() => platform?.stop());

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Running {
  type(text: string): void;
  endInput(): void;
  said: () => string;
  ended: Promise<Run>;
}

/** `berth exec web -- …` as a process of its own. */
function start(command: string[], as = dana): Running {
  const main = join(REPOSITORY, 'apps/cli/dist/main.js');
  const args = [main, 'exec', 'web', '-p', 'shop', '-e', 'dev', '--', ...command];
  const child = spawn(process.execPath, args, { env: platform.cliEnvironment(as.token) });
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (run.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  // A command that is refused reads nothing.
  child.stdin.on('error', () => undefined);
  return {
    type: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    said: () => run.stdout,
    ended: new Promise((resolve) => child.once('close', (code) => resolve({ ...run, code }))),
  };
}

/** With this as its whole input. */
function exec(command: string[], input = '', as = dana): Promise<Run> {
  const running = start(command, as);
  running.type(input);
  running.endInput();
  return running.ended;
}

async function records(): Promise<AuditRecord[]> {
  const path = '/v1/audit/records?project=shop&action=service.exec';
  return expectStatus(await platform.api.get<Page<AuditRecord>>(path), 200).items;
}

test('a pipe goes through a command in an instance; what goes through is kept nowhere', async () => {
  const marker = `typed${randomBytes(12).toString('hex')}`;
  const control = `shown${randomBytes(12).toString('hex')}`;
  const run = await exec(['sh', '-c', `cat; exit 7 # ${control}`], `${marker}\n`);
  expect(run).toEqual({ code: 7, stdout: `${marker}\n`, stderr: '' });
  await eventually(async () => {
    const told = (await records()).map(({ outcome, actor, request }) => [outcome, actor, request.exitCode]);
    expect(told).toEqual([
      ['succeeded', 'dana', 7],
      ['accepted', 'dana', undefined],
    ]);
  });
  const forms = formsOf(marker);
  expect((await tablesWith(platform, forms)).found).toEqual([]);
  expect((await tablesWith(platform, [control])).found).toContain('audit.records');
  expect(filesWith(platform.home, forms)).toEqual([]);
});

test('who may only look is refused, and a rule about a command holds', async () => {
  expect(await exec(['true'], '', viewer)).toMatchObject({ code: 4, stdout: '' });
  const text = `@id("no-shell")
@message("No shells here.")
forbid (principal, action == Berth::Action::"service.exec.before", resource)
when { context.program == "sh" };`;
  expectStatus(await platform.api.put('/v1/policies/no-shell', { text }), 200);
  const denied = await exec(['sh', '-c', 'echo in >/tmp/in']);
  expect(denied).toMatchObject({ code: 4, stdout: '' });
  expect(denied.stderr).toContain('No shells here.');
  expect(await exec(['ls', '/tmp/in'])).toMatchObject({ code: 1, stdout: '' });
  expectStatus(await platform.api.delete('/v1/policies/no-shell'), 204);
});

test.each([
  ['scheduler', 'SIGKILL', 'SERVICE_UNAVAILABLE'],
  ['scheduler', 'SIGTERM', 'SERVICE_UNAVAILABLE'],
  ['gateway', 'SIGKILL', 'UNREACHABLE'],
  ['gateway', 'SIGTERM', 'SERVICE_UNAVAILABLE'],
] as const)('when the %s ends by %s the client is told, and does not hang', async (name, signal, code) => {
  const running = start(['cat']);
  running.type('hello\n');
  await eventually(() => expect(running.said()).toBe('hello\n'));
  await platform.service(name).kill(signal);
  const run = await running.ended;
  expect(run.code).toBe(7);
  expect(run.stderr).toContain(code);
  await platform.service(name).restart();
});
