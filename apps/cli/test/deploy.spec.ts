import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGateway, sendEvents, sendJson, sendProblem } from './fake-gateway.js';
import { runCli, type CliRun } from './run-cli.js';
import { deployment, ID, service, steps, succeeded } from './samples.js';

const gateway = new FakeGateway();
const PLACE = '/v1/projects/shop/environments/dev';
const POST = `POST ${PLACE}/deployments`;
const EVENTS = `GET /v1/deployments/${ID}/events`;
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  env = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'berth_secret' };
  folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  writeFileSync(join(folder, 'compose.yaml'), 'name: shop\nservices:\n  web:\n    image: acme/web:1\n');
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  gateway.reset();
  gateway
    .onJson(POST, deployment(), 202)
    .onJson(`GET /v1/deployments/${ID}`, succeeded)
    .onJson(`GET ${PLACE}/services`, { items: [service('web', 'http://127.0.0.1:8080')], nextCursor: null })
    .on(EVENTS, (_request, response) => {
      sendEvents(response, 'deployment', [deployment(), deployment({ steps: steps(4) }), succeeded]);
      response.end();
    });
});

const deploy = (...more: string[]): Promise<CliRun> =>
  runCli(['deploy', '-f', 'compose.yaml', '--env', 'dev', ...more], { env, cwd: folder });

test('shows each step with its time, then the URLs', async () => {
  const { code, stdout, stderr } = await deploy();
  expect(stderr).toBe('');
  expect(code).toBe(0);
  for (const step of ['resolving images', 'policy', 'quota', 'rolling out', 'healthy']) {
    expect(stdout).toMatch(new RegExp(`✓ ${step} +1\\.5 s`));
  }
  expect(stdout).toMatch(/succeeded: shop\.dev runs release abababababab, after 1\.5 s/);
  expect(stdout).toContain('web  http://127.0.0.1:8080');
  expect(stdout).not.toContain('\u001b');
});

test('sends the file, a token and an idempotency key', async () => {
  await deploy();
  const [post] = gateway.requests('POST');
  expect(post.body).toEqual({ compose: expect.stringContaining('image: acme/web:1') });
  expect(post.headers.authorization).toBe('Bearer berth_secret');
  expect(post.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
});

test('prints the final deployment on the last line with --json', async () => {
  const { code, stdout } = await deploy('--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual(succeeded);
});

test('goes on when the stream breaks, and believes what it reads after it', async () => {
  let connects = 0;
  gateway.on(EVENTS, (_request, response) => {
    if (connects++ === 0) {
      sendEvents(response, 'deployment', [deployment()]);
      response.write('id: 9\nevent: deploy', () => response.destroy());
    } else {
      sendEvents(response, 'deployment', [deployment({ steps: steps(4) })]);
      response.end();
    }
  });
  let reads = 0;
  gateway.on(`GET /v1/deployments/${ID}`, (_request, response) =>
    reads++ === 0
      ? sendProblem(response, 'SERVICE_UNAVAILABLE', 'The scheduler does not answer.')
      : sendJson(response, 200, succeeded),
  );
  const { code, stdout } = await deploy();
  expect(code).toBe(0);
  expect(stdout).toContain('succeeded: shop.dev');
  expect(stdout.match(/✓ resolving images/g)).toHaveLength(1);
  expect(connects).toBeGreaterThan(1);
});

test("a failed one says why, with the container's last output, and ends with 1", async () => {
  const reason =
    'web exited with 3 before it was healthy. Its last output:\n  cannot open \u001b[31mconfig\u001b[0m';
  const failed = deployment({
    status: 'failed',
    steps: steps(3, 'failed'),
    reason,
    finishedAt: succeeded.finishedAt,
  });
  gateway.onJson(`GET /v1/deployments/${ID}`, failed).on(EVENTS, (_request, response) => {
    sendEvents(response, 'deployment', [deployment(), failed]);
    response.end();
  });
  const { code, stdout, stderr } = await deploy();
  expect(code).toBe(1);
  expect(stdout).toContain('✗ rolling out');
  expect(stderr).toContain('DEPLOYMENT_FAILED: ');
  expect(stderr).toContain('web exited with 3 before it was healthy. Its last output:\n  cannot open config');
  expect(stderr).toContain('berth logs --env dev --project shop');
});

test('one denied after it came up ends with 4', async () => {
  const denied = deployment({
    status: 'denied',
    reason: 'no-root: containers run as a user',
    finishedAt: succeeded.finishedAt,
  });
  gateway.onJson(`GET /v1/deployments/${ID}`, denied);
  const { code, stderr } = await deploy();
  expect(code).toBe(4);
  expect(stderr).toMatch(/POLICY_DENIED: .*no-root: containers run as a user/);
});

test('one denied beforehand names each policy and what it says, and ends with 4', async () => {
  gateway.onProblem(POST, 'POLICY_DENIED', 'Policy denies deployment.create.', {
    policies: [{ id: 'no-latest', message: 'Use a tag other than "latest".' }],
  });
  const { code, stdout, stderr } = await deploy();
  expect(code).toBe(4);
  expect(stdout).toBe('');
  expect(stderr).toContain('policy no-latest: Use a tag other than "latest".');
  expect(stderr).toContain('berth policy show');
});

test('over quota shows the limits as a table and ends with 5', async () => {
  const memory = { scope: 'teams', name: 'acme', dimension: 'memory' };
  gateway.onProblem(POST, 'QUOTA_EXCEEDED', 'Over quota.', {
    limits: [{ ...memory, limit: 8 * 1024 ** 3, used: 6 * 1024 ** 3, requested: 4 * 1024 ** 3 }],
  });
  const { code, stderr } = await deploy();
  expect(code).toBe(5);
  expect(stderr).toMatch(/SCOPE +DIMENSION +LIMIT +USED +REQUESTED\n +teams\/acme +memory +8GiB +6GiB +4GiB/);
});

test('with --json the problem is the last line of stderr', async () => {
  gateway.onProblem(POST, 'QUOTA_EXCEEDED', 'Over quota.', { limits: [] });
  const { code, stdout, stderr } = await deploy('--json');
  expect(code).toBe(5);
  expect(stdout).toBe('');
  expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
    code: 'QUOTA_EXCEEDED',
    limits: [],
  });
});

test('an environment that is not there ends with 6 and says how to make it', async () => {
  gateway.onProblem(POST, 'NOT_FOUND', 'There is no environment "shop.dev", or you may not see it.');
  const { code, stderr } = await deploy();
  expect(code).toBe(6);
  expect(stderr).toContain('berth env create dev --project shop');
});

test('--detach returns once it is accepted', async () => {
  const { code, stdout } = await deploy('--detach');
  expect(code).toBe(0);
  expect(stdout).toContain(`Accepted as ${ID}`);
  expect(gateway.seen.filter(({ path }) => path.endsWith('/events'))).toHaveLength(0);
});

test('sends the same request again, with the same key, when the connection broke', async () => {
  let posts = 0;
  gateway.on(POST, (_request, response) =>
    posts++ === 0 ? void response.destroy() : sendJson(response, 202, deployment()),
  );
  expect((await deploy()).code).toBe(0);
  const keys = gateway.requests('POST').map(({ headers }) => headers['idempotency-key']);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

test('whoever stops watching is told that the deployment goes on', async () => {
  gateway.on(EVENTS, (_request, response) => sendEvents(response, 'deployment', [deployment()]));
  const { code, stderr } = await runCli(['deploy', '--env', 'dev'], {
    env,
    cwd: folder,
    interruptAfter: /rolling out/,
  });
  expect(code).toBe(130);
  expect(stderr).toContain(`berth cancel ${ID}`);
});

describe('the project', () => {
  const posted = (): string => gateway.requests('POST')[0].path;

  test('is what --project says before all', async () => {
    gateway.onJson('POST /v1/projects/other/environments/dev/deployments', deployment(), 202);
    await deploy('--project', 'other');
    expect(posted()).toBe('/v1/projects/other/environments/dev/deployments');
  });

  test('is the name of the folder where the file has none', async () => {
    const unnamed = join(folder, 'shop');
    mkdirSync(unnamed);
    writeFileSync(join(unnamed, 'compose.yml'), 'services: {}\n');
    const { code } = await runCli(['deploy', '--env', 'dev'], { env, cwd: unnamed });
    expect(code).toBe(0);
    expect(posted()).toBe(`${PLACE}/deployments`);
  });

  test('has to be given where the folder is no DNS label', async () => {
    const odd = join(folder, 'My Shop');
    mkdirSync(odd);
    const options = { env, cwd: odd, stdin: 'services: {}\n' };
    const { code, stderr } = await runCli(['deploy', '-f', '-', '--env', 'dev'], options);
    expect(code).toBe(2);
    expect(stderr).toContain('"My Shop" is no DNS label');
    expect(gateway.seen).toHaveLength(0);
  });
});
