import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGateway } from './fake-gateway.js';
import { runCli } from './run-cli.js';
import { principal } from './samples.js';

const gateway = new FakeGateway();
let url: string;
let config: string;

beforeAll(async () => {
  url = await gateway.start();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.reset();
  gateway.onJson('GET /v1/whoami', principal);
  config = mkdtempSync(join(tmpdir(), 'berth-cli-'));
});
afterEach(() => rmSync(config, { recursive: true }));

const file = (): string => join(config, 'credentials.json');
const login = () =>
  runCli(['login', '--url', `${url}/`, '--token-stdin'], {
    env: { BERTH_CONFIG: config },
    stdin: 'berth_t\n',
  });

test('verifies the token and stores it for its owner only', async () => {
  const { code, stdout } = await login();
  expect(code).toBe(0);
  expect(stdout).toContain('as mira');
  expect(stdout).not.toContain('berth_t');
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({
    url,
    token: 'berth_t',
    registry: '127.0.0.1:4401',
  });
});

test('later commands use what was stored, and token show reads it', async () => {
  await login();
  gateway.seen.length = 0;
  expect((await runCli(['whoami'], { env: { BERTH_CONFIG: config } })).code).toBe(0);
  expect(gateway.seen[0].headers.authorization).toBe('Bearer berth_t');
  const shown = await runCli(['token', 'show', '--json'], { env: { BERTH_CONFIG: config } });
  expect(JSON.parse(shown.stdout)).toEqual({ url, token: 'berth_t', registry: '127.0.0.1:4401' });
});

test('stores nothing when the token is refused, and ends with 3', async () => {
  gateway.onProblem('GET /v1/whoami', 'TOKEN_EXPIRED', 'The token expired at noon.');
  const { code, stderr } = await login();
  expect(code).toBe(3);
  expect(stderr).toContain('TOKEN_EXPIRED: The token expired at noon.');
  expect(() => statSync(file())).toThrow('ENOENT');
});

test('refuses a file that others can read', async () => {
  await login();
  chmodSync(file(), 0o644);
  const { code, stderr } = await runCli(['whoami'], { env: { BERTH_CONFIG: config } });
  expect(code).toBe(3);
  expect(stderr).toMatch(/CREDENTIALS_EXPOSED: .*0644/);
  expect(stderr).toContain(`chmod 600 ${file()}`);
});

test('the environment overrides the file, and a stored token goes to its own URL only', async () => {
  await login();
  gateway.seen.length = 0;
  const overridden = { BERTH_CONFIG: config, BERTH_TOKEN: 'other' };
  expect((await runCli(['whoami'], { env: overridden })).code).toBe(0);
  expect(gateway.seen[0].headers.authorization).toBe('Bearer other');
  const elsewhere = { BERTH_CONFIG: config, BERTH_URL: 'http://127.0.0.1:1' };
  expect((await runCli(['whoami'], { env: elsewhere })).stderr).toContain('NOT_LOGGED_IN');
});

test('without a login it says how to get one', async () => {
  const { code, stderr } = await runCli(['team', 'ls'], { env: { BERTH_CONFIG: config } });
  expect(code).toBe(3);
  expect(stderr).toContain('berth login');
});
