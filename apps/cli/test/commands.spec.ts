import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { FakeGateway, sendEvents, sendJson } from './fake-gateway.js';
import { runCli, type CliOptions, type CliRun } from './run-cli.js';
import { deployment, ID, principal, RELEASE, service, succeeded, TIME } from './samples.js';

const gateway = new FakeGateway();
const PLACE = '/v1/projects/shop/environments/dev';
let env: Record<string, string>;

beforeAll(async () => {
  env = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'berth_secret' };
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.reset());

const berth = (line: string, options: CliOptions = {}): Promise<CliRun> =>
  runCli(line.split(' '), { env, ...options });
const list = (...items: unknown[]): object => ({ items, nextCursor: null });
const environment = {
  project: 'shop',
  name: 'dev',
  team: 'acme',
  variables: { A: '1', B: '2' },
  services: { web: { replicas: 2 } },
  configuration: 4,
  release: RELEASE,
  onDrift: 'report',
  drift: null,
  halted: [],
  createdAt: TIME,
};
const ingress = {
  ...{ state: 'answers', reason: null, addresses: ['http://127.0.0.1:4490'] },
  url: 'http://<service>.<environment>.<project>.localhost:4490',
};
const inDev = '--env dev --project shop';

describe('lists', () => {
  test('are tables for people', async () => {
    gateway.onJson('GET /v1/teams', list({ name: 'acme', createdAt: TIME }, { name: 'b', createdAt: TIME }));
    const { stdout, code } = await berth('team ls');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME {2}CREATED\nacme {2}\d+d ago\nb {5}\d+d ago\n$/);
  });

  test('are the gateway’s own answer with --json, also what this version does not know', async () => {
    const answer = { ...list({ name: 'acme', createdAt: TIME, later: true }), nextCursor: 'abc' };
    gateway.onJson('GET /v1/teams', answer);
    const { stdout } = await berth('team ls --json --limit 1');
    expect(JSON.parse(stdout)).toEqual(answer);
    expect(gateway.seen[0].query).toEqual({ limit: '1' });
  });

  test('say that there is more', async () => {
    gateway.onJson('GET /v1/projects', {
      items: [{ name: 'shop', team: 'acme', createdAt: TIME }],
      nextCursor: 'xyz',
    });
    expect((await berth('project ls')).stderr).toContain('--cursor xyz');
  });

  test('do not let a cell drive the terminal', async () => {
    const token = { id: ID, user: 'mira', name: 'a\u001b[2Jb\nc', scopes: ['*'], createdAt: TIME };
    gateway.onJson('GET /v1/tokens', list({ ...token, expiresAt: null, revokedAt: TIME }));
    const { stdout } = await berth('token ls');
    expect(stdout).toContain('ab c');
    expect(stdout).toContain('revoked');
  });
});

test('what policy has stopped is told with the way back', async () => {
  const policies = [{ id: 'no-root', message: 'worker runs as \u001b[31mroot.' }];
  const halted = [{ service: 'worker', since: TIME, policies }];
  gateway.onJson(`GET ${PLACE}`, { ...environment, halted });
  const { stdout } = await berth('env show dev --project shop');
  expect(stdout).toMatch(/Stopped by policy.*\nSERVICE .*\nworker .* no-root +worker runs as root\.\n/);
  expect(stdout).toContain('berth restart worker --project shop --env dev');
});

describe('what is sent', () => {
  test('project create takes the one team one is in', async () => {
    gateway.onJson('GET /v1/whoami', principal);
    gateway.onJson('POST /v1/projects', { name: 'shop', team: 'acme', createdAt: TIME }, 201);
    expect((await berth('project create shop')).code).toBe(0);
    expect(gateway.requests('POST')[0].body).toEqual({ name: 'shop', team: 'acme' });
  });

  test('env create takes variables, env set changes some and keeps the rest', async () => {
    gateway.onJson('POST /v1/projects/shop/environments', environment, 201);
    expect((await berth('env create dev --project shop --var A=1=2 --var B=')).code).toBe(0);
    expect(gateway.requests('POST')[0].body).toEqual({
      ...{ name: 'dev', variables: { A: '1=2', B: '' }, onDrift: 'report' },
    });
    gateway.onJson(`GET ${PLACE}`, environment).onJson(`PUT ${PLACE}`, { ...environment, deployment: null });
    const set = await berth(
      'env set dev --project shop --var C=3 --unset A --memory web=1GiB --cpus api=0.5',
    );
    expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining('has 2 variables') });
    expect(gateway.requests('PUT')[0].body).toEqual({
      variables: { B: '2', C: '3' },
      services: { web: { replicas: 2, memory: '1GiB' }, api: { cpus: 0.5 } },
    });
  });

  test('what changes what runs is followed to its end', async () => {
    const changed = { ...environment, deployment: deployment({ cause: 'scale' }) };
    gateway
      .onJson('PUT /v1/projects/shop/environments/dev/services/web/scale', changed, 202)
      .onJson('POST /v1/projects/shop/environments/dev/services/web/restart', changed, 202)
      .onJson('POST /v1/projects/shop/environments/dev/services/web/stop', changed, 202)
      .onJson('POST /v1/projects/shop/environments/prod/promotions', deployment({ cause: 'promote' }), 202)
      .onJson(`POST ${PLACE}/rollbacks`, deployment({ cause: 'rollback' }), 202)
      .on(`GET /v1/deployments/${ID}/events`, (_request, response) => {
        sendEvents(response, 'deployment', [succeeded]);
        response.end();
      })
      .onJson(`GET /v1/deployments/${ID}`, succeeded)
      .onJson(`GET ${PLACE}/services`, list(service('web', 'http://127.0.0.1:8080')));
    for (const line of [
      `scale web=3 ${inDev}`,
      `restart web ${inDev}`,
      `stop web ${inDev}`,
      'promote dev prod --project shop',
      `rollback ${RELEASE.slice(7, 20)} ${inDev}`,
    ]) {
      const { code, stdout } = await berth(line);
      expect([code, stdout]).toEqual([0, expect.stringContaining('succeeded: shop.dev runs release')]);
    }
    expect(gateway.requests('PUT')[0].body).toEqual({ replicas: 3 });
    expect(gateway.requests('POST').map(({ body }) => body)).toEqual([
      {},
      {},
      { from: 'dev' },
      { release: RELEASE.slice(7, 20) },
    ]);
    expect((await berth(`scale web ${inDev}`)).code).toBe(2);
  });

  test('plan, diff and parity tell each key', async () => {
    const differences = [{ service: 'web', path: 'environment.A', from: '1', to: null }];
    gateway
      .onJson(`POST ${PLACE}/plans`, {
        ...{ release: RELEASE, current: null, differences, warnings: ['Mind the gap.'] },
        services: [{ service: 'web', change: 'update', order: 'stop-first', note: 'A gap.' }],
      })
      .onJson(`GET ${PLACE}/diff`, { from: 'dev', to: 'prod', differences })
      .onJson(`GET ${PLACE}/parity`, {
        ...{ from: 'dev', to: 'prod', sameRelease: true },
        differences: [
          { ...differences[0], kind: 'declared', environment: null },
          { ...differences[0], to: '7', kind: 'drift', environment: 'prod' },
        ],
      });
    const plan = await berth(`plan -f - ${inDev}`, { stdin: 'services: {}' });
    expect(plan.stdout).toMatch(/web +update +stop-first +A gap\.\n\n- web\.environment\.A: 1\n/);
    expect(plan.stderr).toContain('Mind the gap.');
    expect((await berth(`diff prod ${inDev}`)).stdout).toBe('- web.environment.A: 1\n');
    expect((await berth('parity dev prod --project shop')).stdout).toMatch(
      /run the same release\.\n.*\ndeclared +web +environment\.A +1 +-\ndrift in prod +web +environment\.A +\(rolled out\) 1 +\(found\) 7\n/,
    );
  });

  test('quota set names the scope in the path and sends what was given', async () => {
    const quota = { scope: 'teams', name: 'acme', limits: { cpu: 4, memory: '8GiB', storage: '20GiB' } };
    const cost = { currency: 'EUR', perHour: 0.024, perMonth: 17.52 };
    const used = { cpu: 1, memory: '1GiB', instances: 2, storage: '1.5GiB' };
    gateway.onJson('PUT /v1/quotas/teams/acme', { ...quota, used, cost });
    const { stdout, code } = await berth('quota set teams/acme --cpu 4 --memory 8GiB --storage 20GiB');
    expect(code).toBe(0);
    expect(gateway.requests('PUT')[0].body).toEqual({ limits: { cpu: 4, memory: '8GiB', storage: '20GiB' } });
    expect(stdout).toMatch(
      /teams\/acme +1 of 4 +1GiB of 8GiB +2 of no limit +1\.5GiB of 20GiB +17\.52 EUR a month/,
    );
  });

  test('image ls, tags and rm name repositories in the query', async () => {
    const updatedAt = new Date().toISOString();
    const repository = {
      name: 'acme/web',
      team: 'acme',
      upstream: null,
      tags: 2,
      bytes: 1_048_576,
      updatedAt,
    };
    gateway.onJson('GET /v1/images', list(repository));
    expect((await berth('image ls --team acme')).stdout).toMatch(/acme\/web +2 +1MiB +/);
    expect(gateway.seen[0].query).toMatchObject({ team: 'acme' });
    const digest = `sha256:${'a'.repeat(64)}`;
    const tag = {
      name: '1',
      digest,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      bytes: null,
      updatedAt,
    };
    gateway.onJson('GET /v1/images/tags', list(tag));
    expect((await berth('image tags acme/web')).stdout).toMatch(/1 +sha256:a{64} +an index +/);
    gateway.on('DELETE /v1/images', (_request, response) => void response.writeHead(204).end());
    expect((await berth('image rm acme/web:1 --yes')).stdout).toBe('Removed the tag acme/web:1.\n');
    const removed = await berth(`image rm acme/web@${digest} --yes`);
    expect(removed.stdout).toBe(`Removed the image acme/web@${digest} with all its tags.\n`);
    expect(gateway.requests('DELETE').map(({ query }) => query)).toEqual([
      { repository: 'acme/web', reference: '1' },
      { repository: 'acme/web', reference: digest },
    ]);
    expect((await berth('image rm web --yes')).code).toBe(2);
  });

  test('retention rules name their scope in the query, and say what goes', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const rule = {
      ...{ scope: 'acme', team: 'acme', keepLast: 10, olderThanSeconds: 2_592_000, tags: '*' },
      ...{ setBy: 'mira', setAt: new Date().toISOString() },
    };
    const going = {
      tags: [{ repository: 'acme/web', tag: '1', digest }],
      images: [{ repository: 'acme/web', digest }],
      ...{ denied: [], more: false },
    };
    gateway.onJson('GET /v1/retention', list(rule));
    gateway.onJson('PUT /v1/retention', rule);
    gateway.onJson('POST /v1/retention/preview', going);
    gateway.onJson('POST /v1/retention/apply', going);
    gateway.on('DELETE /v1/retention', (_request, response) => void response.writeHead(204).end());

    expect((await berth('retention ls')).stdout).toMatch(
      /acme +\* +the last 10 and those of 30d +0s ago by mira/,
    );
    expect((await berth('retention set acme --keep 10 --older-than 30d')).stdout).toBe(
      'Of acme, the last 10 and those of 30d stay.\nWithin the hour go 1 tag and 1 image. See them: berth retention preview acme\n',
    );
    expect(gateway.requests('PUT')[0]).toMatchObject({
      query: { scope: 'acme' },
      body: { keepLast: 10, olderThanSeconds: 2_592_000 },
    });
    // Of a repository without a rule, its team's.
    expect((await berth('retention preview acme/web')).stdout).toBe(
      `acme/web:1\nacme/web@${digest}\nWould go: 1 tag and 1 image.\n`,
    );
    expect(gateway.requests('POST').at(-1)).toMatchObject({
      query: { scope: 'acme/web' },
      body: { keepLast: 10, olderThanSeconds: 2_592_000, tags: '*' },
    });
    expect((await berth('retention apply acme --yes')).stdout).toMatch(/\nRemoved 1 tag and 1 image\.\n$/);
    expect((await berth('retention rm acme')).stdout).toBe('Images of acme stay.\n');
    expect(gateway.requests('DELETE')[0].query).toEqual({ scope: 'acme' });
    expect((await berth('retention set acme --tags pr-*')).code).toBe(2);
  });

  test('image inspect shows what it is, and nothing that it has not', async () => {
    const details = {
      ...{ repository: 'acme/web', reference: '1', digest: `sha256:${'a'.repeat(64)}` },
      ...{ mediaType: 'application/vnd.oci.image.manifest.v1+json', artifactType: null, subject: null },
      ...{ bytes: 1_048_576, platforms: ['linux/amd64'], user: 'root', created: null },
      ...{ labels: { stage: 'trial' }, annotations: {}, manifests: [] },
      layers: [{ digest: `sha256:${'b'.repeat(64)}`, mediaType: 'x', bytes: 2_048 }],
    };
    gateway.onJson('GET /v1/images/inspect', details);
    const { code, stdout } = await berth('image inspect acme/web');
    expect(code).toBe(0);
    expect(gateway.seen[0].query).toEqual({ repository: 'acme/web', reference: 'latest' });
    expect(stdout.split('\n')).toEqual([
      `Image      acme/web@sha256:${'a'.repeat(64)}`,
      'Type       application/vnd.oci.image.manifest.v1+json',
      'Size       1MiB',
      'Platforms  linux/amd64',
      'User       root',
      'Labels:',
      '  stage=trial',
      'Layers:',
      `  sha256:${'b'.repeat(64)}  2KiB`,
      '',
    ]);
  });

  test.each(['127.0.0.1:4401/acme/web:1', '127.0.0.1:4401/acme/web@sha256:1', '@x'])(
    'image inspect says that %s is not how images are named here',
    async (image) => {
      const { code, stderr } = await berth(`image inspect ${image}`);
      expect([code, stderr]).toEqual([2, expect.stringContaining('without the host of the registry')]);
    },
  );

  test('image scrub asks until there is no more, and fails where something is damaged', async () => {
    const verifiedBefore = '2026-05-01T10:00:00.000Z';
    const digest = `sha256:${'a'.repeat(64)}`;
    const damaged = [
      { digest, bytes: 5, damage: 'rotten', repositories: ['acme/web'], upstreams: ['docker.io/library/x'] },
    ];
    const parts = [
      { blobs: 3, bytes: 1_048_576, damaged: [], verifiedBefore, more: true },
      { blobs: 1, bytes: 1_048_576, damaged, verifiedBefore, more: false },
    ];
    gateway.on('POST /v1/images/scrub', (_request, response) => sendJson(response, 201, parts.shift()));
    const { code, stdout, stderr } = await berth('image scrub');
    expect([code, stderr]).toEqual([1, '1MiB so far ...\n']);
    expect(stdout.split('\n')).toEqual([
      `${digest} is rotten`,
      '  push again: acme/web',
      '  is fetched again when pulled: docker.io/library/x',
      'Read 4 blobs, 2MiB: 1 damaged.',
      '',
    ]);
    expect(gateway.requests('POST').map(({ body }) => body)).toEqual([{}, { verifiedBefore }]);
  });

  test('image usage shows what is stored, and how much of what was pulled was there', async () => {
    const manifests = { hosted: 4, cache: 8, stale: 1, upstream: 1, hitRate: 0.9 };
    const blobs = { hosted: 0, cache: 0, stale: 0, upstream: 0, hitRate: null };
    const stored = { hosted: 1_048_576, cached: 2_097_152 };
    gateway.onJson('GET /v1/images/usage', { days: 7, stored, manifests, blobs });
    const { code, stdout } = await berth('image usage --days 7');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      "teams' images   1MiB",
      'pulled through  2MiB',
      '',
      'Pulls of 7 days:',
      'OF         HOSTED  CACHED  FETCHED  HIT RATE',
      'manifests  4       9       1        90.0 %',
      'blobs      0       0       0        -',
      '',
    ]);
  });

  test('image gc asks until there is no more', async () => {
    const parts = [
      { links: 3, blobs: 2, bytes: 1_048_576, strays: 0, more: true },
      { links: 0, blobs: 1, bytes: 1_048_576, strays: 2, more: false },
    ];
    gateway.on('POST /v1/images/collect', (_request, response) => sendJson(response, 201, parts.shift()));
    const { code, stdout, stderr } = await berth('image gc --grace 1h');
    expect([code, stderr]).toEqual([0, '1MiB so far ...\n']);
    expect(stdout).toBe('Removed 3 blobs, 2MiB.\nRemoved 2 files that a crash had left behind.\n');
    expect(gateway.requests('POST').map(({ body }) => body)).toEqual([
      { graceSeconds: 3600 },
      { graceSeconds: 3600 },
    ]);
  });

  test('upstream add sets it, asks whether it answers, and takes no password as an argument', async () => {
    const upstream = {
      ...{ name: 'quay.io', url: 'https://quay.io', credentials: true, tokenHosts: [], fixed: false },
      ...{ setBy: 'root', setAt: new Date().toISOString(), rate: { limit: 100, remaining: 76, seconds: 60 } },
    };
    const checked = { name: 'quay.io', answers: false, reason: 'upstream quay.io is away', milliseconds: 3 };
    gateway.onJson('PUT /v1/upstreams/quay.io', upstream);
    gateway.onJson('POST /v1/upstreams/quay.io/check', checked);
    gateway.onJson('GET /v1/upstreams', list(upstream));
    const added = await berth('upstream add quay.io https://quay.io --username me --password-stdin', {
      stdin: 'pass\n',
    });
    expect(added).toMatchObject({
      code: 1,
      stdout:
        'Images of quay.io are pulled through from https://quay.io.\nIt does not answer as it should: upstream quay.io is away.\n',
    });
    expect(gateway.requests('PUT')[0].body).toEqual({
      ...{ url: 'https://quay.io', username: 'me', password: 'pass', tokenHosts: [] },
    });
    expect((await berth('upstream ls')).stdout).toMatch(
      /quay\.io +https:\/\/quay\.io +yes +76 of 100 +.* by root/,
    );
    expect((await berth('upstream add quay.io https://quay.io --username me')).code).toBe(2);
    gateway.on('DELETE /v1/upstreams/quay.io', (_request, response) => void response.writeHead(204).end());
    expect((await berth('upstream rm quay.io --yes')).stdout).toBe('Removed the upstream quay.io.\n');
  });

  test('price set sends the amounts', async () => {
    const prices = { currency: 'EUR', cpu: 0.02, memory: 0.004 };
    gateway.onJson('PUT /v1/prices', { ...prices, setBy: 'root', setAt: '2026-05-01T10:00:00.000Z' });
    const { stdout, code } = await berth('price set --cpu 0.02 --memory 0.004 --currency EUR');
    expect(code).toBe(0);
    expect(gateway.requests('PUT')[0].body).toEqual(prices);
    expect(stdout).toMatch(/core +0\.02 EUR for an hour\nGiB of memory +0\.004 EUR/);
    expect((await berth('price set --cpu much --memory 1 --currency EUR')).code).toBe(2);
  });

  test('audit export writes what comes, as it comes', async () => {
    const lines = '{"id":"1","actor":"mïra"}\n{"id":"2"}\n';
    gateway.on('GET /v1/audit/export', (_request, response) => void response.end(lines));
    const { code, stdout, stderr } = await berth('audit export --team acme --reads --env dev');
    expect([code, stdout, stderr]).toEqual([0, lines, '2 records.\n']);
    expect(gateway.seen[0].query).toEqual({ team: 'acme', environment: 'dev', reads: 'true' });
  });

  test('audit export that breaks off is no success', async () => {
    gateway.on('GET /v1/audit/export', (_request, response) => {
      response.write('{"id":"1"}\n', () => response.destroy());
    });
    const { code, stderr } = await berth('audit export');
    expect(code).not.toBe(0);
    expect(stderr).toContain('does not answer');
    expect(stderr).not.toContain('record');
  });

  test('audit ls hands on each filter', async () => {
    gateway.onJson('GET /v1/audit/records', list());
    const filters =
      '--team acme --actor mira --action deployment.* --resource Environment:shop.dev --outcome denied';
    const { code } = await berth(`audit ls ${filters} --since 2026-05-01 ${inDev} --limit 7 --json`);
    expect(code).toBe(0);
    expect(gateway.seen[0].query).toEqual({
      team: 'acme',
      actor: 'mira',
      action: 'deployment.*',
      resource: 'Environment:shop.dev',
      outcome: 'denied',
      since: '2026-05-01T00:00:00.000Z',
      project: 'shop',
      environment: 'dev',
      limit: '7',
    });
  });

  test('remove takes the volumes only when told to, and does not ask without a terminal', async () => {
    gateway.on(`DELETE ${PLACE}`, (_request, response) => void response.writeHead(204).end());
    expect((await berth(`remove ${inDev}`)).code).toBe(0);
    expect((await berth(`remove ${inDev} --volumes --yes`)).code).toBe(0);
    expect(gateway.requests('DELETE').map(({ query }) => query)).toEqual([{}, { volumes: 'true' }]);
  });

  test('token create is not sent with a key, for its answer is not kept', async () => {
    const token = { id: ID, user: 'ci', name: 'token', scopes: ['read'], createdAt: TIME };
    gateway.onJson(
      'POST /v1/tokens',
      { ...token, expiresAt: TIME, revokedAt: null, token: 'berth_new' },
      201,
    );
    const { stdout } = await berth('token create --user ci --scope read --expires-in 30d');
    expect(stdout).toBe('berth_new\n');
    const [{ body, headers }] = gateway.requests('POST');
    expect(body).toEqual({ user: 'ci', scopes: ['read'], expiresInSeconds: 30 * 86_400 });
    expect(headers['idempotency-key']).toBeUndefined();
  });
});

describe('status and logs', () => {
  const line = (name: string, time: string, text: string): object => ({
    time,
    service: name,
    instance: 'i1',
    stream: 'stdout',
    line: text,
  });

  test('status shows the last deployment and what runs', async () => {
    gateway
      .onJson(`GET ${PLACE}`, environment)
      .onJson(`GET ${PLACE}/deployments`, list(deployment({ status: 'failed', reason: 'web exited with 3' })))
      .onJson(`GET ${PLACE}/services`, list(service('web', 'http://127.0.0.1:8080')))
      .onJson('GET /v1/ingress', ingress);
    const { stdout, code } = await berth(`status ${inDev}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^way in +answers at http:\/\/127\.0\.0\.1:4490\n/);
    expect(stdout).toContain('shop.dev');
    expect(stdout).toMatch(/last deployment +failed/);
    expect(stdout).toContain('web exited with 3');
    expect(stdout).toMatch(/web +acme\/web:1 +1\/1 +abababababab +- +http:\/\/127\.0\.0\.1:8080/);
  });

  test('status says why no requests come in, to programs too', async () => {
    const broken = { ...ingress, state: 'broken', reason: 'The way in cannot start: its port is taken.' };
    gateway.onJson('GET /v1/projects/shop/environments', list()).onJson('GET /v1/ingress', broken);
    const { stdout } = await berth('status --project shop');
    expect(stdout).toMatch(/^way in +broken: The way in cannot start: its port is taken\.\n/);
    const { stdout: json } = await berth('status --project shop --json');
    expect(JSON.parse(json)).toEqual({ ...list(), ingress: broken });
  });

  test('status does without the way in where one may not know of it', async () => {
    gateway
      .onJson('GET /v1/projects/shop/environments', list())
      .onProblem('GET /v1/ingress', 'POLICY_DENIED', 'No.');
    const { stdout, code } = await berth('status --project shop --json');
    expect([code, JSON.parse(stdout)]).toEqual([0, { ...list(), ingress: null }]);
  });

  test('logs of an environment say whose each line is', async () => {
    gateway.onJson(
      `GET ${PLACE}/logs`,
      list(line('db', '2026-05-01T10:00:00Z', 'one'), line('web', '2026-05-01T10:00:01Z', 'two')),
    );
    const { stdout } = await berth(`logs ${inDev} --tail 5`);
    expect(stdout).toBe('db/i1 | one\nweb/i1 | two\n');
    expect(gateway.seen.at(-1)?.query).toEqual({ tail: '5' });
  });

  test('logs of some services, with times', async () => {
    gateway.onJson(`GET ${PLACE}/logs`, list(line('db', '2026-05-01T10:00:00Z', 'one')));
    const { stdout } = await berth(`logs web -s db ${inDev} --timestamps`);
    expect(stdout).toBe('db/i1 | 2026-05-01T10:00:00Z one\n');
    expect(gateway.seen.at(-1)?.queries.service).toEqual(['web', 'db']);
  });

  test('logs of one service are as they were written', async () => {
    gateway.onJson(`GET ${PLACE}/services/web/logs`, list(line('web', TIME, 'one')));
    expect((await berth(`logs --service web ${inDev}`)).stdout).toBe('one\n');
    expect((await berth(`logs web ${inDev} -t --since nonsense`)).code).toBe(2);
  });

  test('logs -f says how many lines were left out', async () => {
    gateway.on(`GET ${PLACE}/logs`, (_request, response) => {
      sendEvents(response, 'log', [line('web', TIME, 'one')]);
      sendEvents(response, 'lost', [{ count: 7 }]);
      sendEvents(response, 'end', [{}]);
      response.end();
    });
    const { stdout, stderr } = await berth(`logs -f ${inDev}`);
    expect(stdout).toBe('web/i1 | one\n');
    expect(stderr).toContain('7 lines');
  });

  test('logs -f prints lines as they come, one JSON object each with --json', async () => {
    gateway.on(`GET ${PLACE}/services/web/logs`, (_request, response) => {
      sendEvents(response, 'log', [line('web', TIME, 'one'), line('web', TIME, 'two')]);
      sendEvents(response, 'end', [{}]);
      response.end();
    });
    const { stdout, code } = await berth(`logs web -f ${inDev} --json`);
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((text) => (JSON.parse(text) as { line: string }).line),
    ).toEqual(['one', 'two']);
    expect(gateway.seen[0].query).toEqual({ tail: '100', follow: 'true' });
  });

  test('logs -f goes on where it was cut off, and prints nothing twice', async () => {
    const one = line('web', '2026-05-01T10:00:01.000Z', 'one');
    let connects = 0;
    gateway.on(`GET ${PLACE}/services/web/logs`, ({ query }, response) => {
      if (connects++ === 0) {
        sendEvents(response, 'log', [one]);
        response.write('id: 9', () => response.destroy());
        return;
      }
      expect(query.since).toBe('2026-05-01T09:59:58.000Z');
      sendEvents(response, 'log', [one, line('web', '2026-05-01T10:00:02.000Z', 'two')]);
      sendEvents(response, 'end', [{}]);
      response.end();
    });
    const { stdout, code } = await berth(`logs web -f ${inDev}`);
    expect([stdout, code]).toEqual(['one\ntwo\n', 0]);
  });

  test('a stream that ends with an error ends the command with its code', async () => {
    gateway.on(`GET ${PLACE}/services/web/logs`, (_request, response) => {
      const problem = {
        type: 'urn:berth:error:ENGINE_UNAVAILABLE',
        title: 't',
        status: 503,
        detail: 'no engine',
      };
      sendEvents(response, 'error', [{ ...problem, code: 'ENGINE_UNAVAILABLE' }]);
      response.end();
    });
    const { stderr, code } = await berth(`logs web -f ${inDev}`);
    expect(code).toBe(7);
    expect(stderr).toContain('ENGINE_UNAVAILABLE: no engine');
  });
});

describe('exit codes', () => {
  test.each([
    ['UNAUTHENTICATED', 3],
    ['TOKEN_REVOKED', 3],
    ['POLICY_DENIED', 4],
    ['NOT_FOUND', 6],
    ['POLICY_UNAVAILABLE', 7],
    ['ALREADY_EXISTS', 1],
    ['VALIDATION_FAILED', 2],
    ['INTERNAL', 1],
  ] as const)('%s is %i', async (problem, expected) => {
    gateway.onProblem('POST /v1/teams', problem, 'It is so.');
    const { code, stderr, stdout } = await berth('team create acme');
    expect(stderr).toContain(`${problem}: It is so.`);
    expect(stdout).toBe('');
    expect(code).toBe(expected);
  });

  test.each([
    'nope',
    'deploy',
    'team',
    'quota set acme --cpu 1',
    'quota set teams/acme --cpu x',
    'logs --tail -1',
  ])('"berth %s" is wrong usage', async (line) => {
    expect((await berth(line)).code).toBe(2);
    expect(gateway.seen).toHaveLength(0);
  });

  test('a gateway that is not there is 7, and is said at once', async () => {
    const closed = new FakeGateway();
    const gone = await closed.start();
    await closed.stop();
    const { code, stderr } = await berth('team create acme', { env: { ...env, BERTH_URL: gone } });
    expect(code).toBe(7);
    expect(stderr).toContain(`UNREACHABLE: ${gone} does not answer (ECONNREFUSED)`);
  });

  test('something else that answers there is told from a gateway', async () => {
    gateway.on('GET /v1/teams', (_request, response) => void response.writeHead(200).end('<html>'));
    const { code, stderr } = await berth('team ls');
    expect(code).toBe(1);
    expect(stderr).toContain('UNEXPECTED_ANSWER');
  });
});

test('a reader that leaves is no error', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ({ name: `team-${index}`, createdAt: TIME }));
  gateway.on('GET /v1/teams', (_request, response) => sendJson(response, 200, list(...many)));
  const main = join(__dirname, '../dist/main.js');
  const child = spawn('sh', ['-c', '"$0" "$1" team ls | head -n 1', process.execPath, main], {
    env: { ...env, PATH: '/usr/bin:/bin' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  expect(stderr).toBe('');
});

test('each command has help with examples', async () => {
  const commands = [
    'login',
    'deploy',
    'status',
    'logs',
    'env set',
    'token create',
    'policy apply',
    'policy bind',
    'policy history',
    'policy simulate',
    'policy explain',
    'quota set',
    'audit ls',
    'audit export',
  ];
  for (const name of commands) {
    const { code, stdout } = await berth(`${name} --help`);
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  $ berth ${name}`);
    expect(stdout).toContain('--json');
  }
});

test('audit ls says why: the policies that denied it, or what else stood in the way', async () => {
  const record = {
    id: ID,
    time: TIME,
    source: 'scheduler',
    action: 'deployment.create',
    kind: 'change',
    outcome: 'denied',
    actor: 'mira',
    tokenId: null,
    team: 'acme',
    project: 'shop',
    environment: 'dev',
    resource: { type: 'Environment', id: 'shop.dev' },
    policies: [{ id: 'rule', message: 'It is so.' }],
    decisions: [],
    correlationId: 'c',
    request: {},
  };
  gateway.onJson(
    'GET /v1/audit/records',
    list(
      { ...record, code: 'POLICY_DENIED', reason: 'r' },
      { ...record, code: 'QUOTA_EXCEEDED', reason: 'Over quota' },
    ),
  );
  const { stdout } = await berth('audit ls');
  expect(stdout).toMatch(
    /2026-05-01 10:00:00Z +mira +deployment\.create +Environment:shop\.dev +denied +rule: It is so\.\n/,
  );
  expect(stdout).toMatch(/denied +QUOTA_EXCEEDED: Over quota\n/);
});
