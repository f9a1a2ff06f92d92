import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGateway } from './fake-gateway.js';
import { runCli, type CliOptions, type CliRun } from './run-cli.js';
import { TIME } from './samples.js';

const MAIN = join(__dirname, '../dist/main.js');
const gateway = new FakeGateway();
const PLACE = '/v1/projects/shop/environments/dev/secrets';
const secret = { name: 'DB_PASSWORD', version: 2, setBy: 'mira', setAt: TIME, deployment: null };
let env: Record<string, string>;

beforeAll(async () => {
  env = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'berth_secret' };
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.reset());

const berth = (line: string, options: CliOptions = {}): Promise<CliRun> =>
  runCli(`secret ${line} --env dev --project shop`.split(' '), { env, ...options });
const sent = (): unknown => gateway.requests('PUT')[0]?.body;
const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64');

test('a value comes from stdin, as it is, and is not shown', async () => {
  gateway.onJson(`PUT ${PLACE}/DB_PASSWORD`, secret);
  const { code, stdout, stderr } = await berth('set DB_PASSWORD', { stdin: 'hunter2 \n' });
  expect([code, sent()]).toEqual([0, { valueBase64: base64('hunter2 \n') }]);
  expect(stdout).toBe('Set DB_PASSWORD of shop.dev, version 2.\n');
  expect(stderr).toContain('ends with a line break');
  expect(stdout + stderr).not.toContain('hunter2');
});

test('on a terminal it is asked for, and what is typed is not shown', async () => {
  gateway.onJson(`PUT ${PLACE}/DB_PASSWORD`, secret);
  const line = `${process.execPath} ${MAIN} secret set DB_PASSWORD --env dev --project shop`;
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { env: { ...env, PATH: '/usr/bin:/bin' } });
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (text.includes('Value of DB_PASSWORD: ')) terminal.stdin.write(' hunter2 \r');
  });
  expect(await new Promise((resolve) => terminal.on('close', resolve))).toBe(0);
  expect(sent()).toEqual({ valueBase64: base64(' hunter2 ') });
  expect(shown).toContain('version 2');
  expect(shown).not.toContain('hunter2');
});

test('a dash says stdin too', async () => {
  gateway.onJson(`PUT ${PLACE}/DB_PASSWORD`, secret);
  const { code, stderr } = await berth('set DB_PASSWORD -', { stdin: 'hunter2' });
  expect([code, stderr, sent()]).toEqual([0, '', { valueBase64: base64('hunter2') }]);
});

test('a file may hold any bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  const bytes = Buffer.from([0, 255, 254, 10, 13]);
  writeFileSync(join(folder, 'key.bin'), bytes);
  gateway.onJson(`PUT ${PLACE}/DB_PASSWORD`, secret);
  const run = await berth('set DB_PASSWORD --from-file key.bin --json', { cwd: folder });
  rmSync(folder, { recursive: true });
  expect([run.code, JSON.parse(run.stdout), sent()]).toEqual([0, secret, { valueBase64: base64(bytes) }]);
});

test.each([
  ['set DB_PASSWORD hunter2', 'not taken as an argument'],
  ['set DB_PASSWORD - --from-file x', 'not both'],
  ['set DB_PASSWORD --from-file nowhere.txt', 'cannot be read: ENOENT'],
  ['set DB_PASSWORD', 'the value is empty'],
])('%s is wrong usage, and sends nothing', async (line, told) => {
  const { code, stderr } = await berth(line);
  expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  expect(stderr).not.toContain('hunter2');
  expect(gateway.seen).toEqual([]);
});

test('the list says what there is, who set it and when', async () => {
  gateway.onJson(`GET ${PLACE}`, { items: [secret], nextCursor: 'more' });
  const { stdout, stderr } = await berth('ls');
  expect(stdout).toMatch(/^NAME +VERSION +SET BY +SET\nDB_PASSWORD +2 +mira +\d+d ago\n$/);
  expect(stderr).toContain('--cursor more');
  gateway.onJson(`GET ${PLACE}`, { items: [], nextCursor: null });
  expect((await berth('ls')).stderr).toContain('berth secret set');
});

test('rm removes; one in use says by what', async () => {
  gateway.on(`DELETE ${PLACE}/DB_PASSWORD`, (_request, response) => void response.writeHead(204).end());
  expect((await berth('rm DB_PASSWORD --yes')).stdout).toBe('Removed DB_PASSWORD of shop.dev.\n');
  gateway.onProblem(`DELETE ${PLACE}/DB_PASSWORD`, 'SECRET_IN_USE', 'It is given to "web".');
  const { code, stderr } = await berth('rm DB_PASSWORD --yes');
  expect([code, stderr]).toEqual([1, expect.stringContaining('SECRET_IN_USE: It is given to "web".')]);
});
