import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, FakeGateway, sendJson, sendProblem } from './fake-gateway.js';
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

describe('by an identity provider', () => {
  const pending = { state: 'pending', intervalSeconds: 0.01, token: null };
  const handle = 'h'.repeat(43);
  const issued = { id: randomUUID(), user: 'mira', name: 'login', scopes: ['*'] };
  const begun = (expiresAt = new Date(Date.now() + 600_000)) => ({
    ...{ handle, userCode: 'WDJB-MJHT', verificationUri: 'https://id.example.com/device' },
    ...{
      verificationUriComplete: 'https://id.example.com/device?user_code=WDJB-MJHT',
      intervalSeconds: 0.01,
    },
    expiresAt: expiresAt.toISOString(),
  });
  const loginByProvider = (...more: string[]) =>
    runCli(['login', '--url', url, '--oidc', ...more], { env: { BERTH_CONFIG: config } });
  const answersInTurn = (...answers: Answer[]): void => {
    gateway.on('POST /v1/login/device/poll', (request, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer?.(request, response);
    });
  };
  const json =
    (body: unknown): Answer =>
    (_request, response) =>
      sendJson(response, 200, body);
  const done = {
    ...pending,
    state: 'done',
    token: {
      ...issued,
      createdAt: '2026-05-01T10:00:00.000Z',
      expiresAt: null,
      revokedAt: null,
      token: 'berth_of_login',
    },
  };

  test('shows where to confirm the code, waits for that, and stores the token', async () => {
    gateway.onJson('POST /v1/login/device', begun());
    answersInTurn(
      json(pending),
      (_request, response) => sendProblem(response, 'IDENTITY_PROVIDER_UNAVAILABLE', 'It is away.'),
      json(done),
    );
    const { code, stdout, stderr } = await loginByProvider();
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('https://id.example.com/device?user_code=WDJB-MJHT'),
    ]);
    expect(stdout).toContain('as mira');
    expect(stdout + stderr).not.toMatch(/berth_of_login|hhhh/);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ token: 'berth_of_login' });
    const polls = gateway.seen.filter(({ path }) => path.endsWith('/poll'));
    expect(polls.map(({ body }) => body)).toEqual([{ handle }, { handle }, { handle }]);
    expect(polls.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test.each([
    ['LOGIN_DENIED', 4],
    ['POLICY_DENIED', 4],
    ['LOGIN_EXPIRED', 1],
  ] as const)('ends with %s, and stores nothing', async (problem, exit) => {
    gateway.onJson('POST /v1/login/device', begun());
    gateway.onProblem('POST /v1/login/device/poll', problem, 'It is so.');
    const { code, stderr } = await loginByProvider();
    expect([code, stderr]).toEqual([exit, expect.stringContaining(`${problem}: It is so.`)]);
    expect(() => statSync(file())).toThrow('ENOENT');
  });

  test('says so where there is none, and gives up on one that is away for good', async () => {
    gateway.onProblem('POST /v1/login/device', 'NOT_FOUND', 'This platform has no identity provider.');
    expect((await loginByProvider()).code).toBe(6);
    gateway.onJson('POST /v1/login/device', begun(new Date(Date.now() + 50)));
    gateway.onProblem('POST /v1/login/device/poll', 'IDENTITY_PROVIDER_UNAVAILABLE', 'It is away.');
    expect((await loginByProvider()).code).toBe(7);
    expect((await loginByProvider('--token-stdin')).code).toBe(2);
  });
});
