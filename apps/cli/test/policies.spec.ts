import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGateway } from './fake-gateway.js';
import { runCli, type CliOptions, type CliRun } from './run-cli.js';
import { ID, TIME } from './samples.js';

const gateway = new FakeGateway();
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  env = { BERTH_URL: await gateway.start(), BERTH_TOKEN: 'berth_secret' };
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.reset();
  folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const berth = (line: string, options: CliOptions = {}): Promise<CliRun> =>
  runCli(line.split(' '), { env, cwd: folder, ...options });
const text = '// @id("not this")\n@id("no-latest")\nforbid (principal, action, resource);\n';
const everywhere = [{ scope: 'platform', mode: 'deny' }];
const policy = {
  ...{ id: 'no-latest', message: 'm', owner: null, version: 1, builtin: false, bindings: everywhere },
  ...{ text, updatedAt: TIME, updatedBy: 'mira' },
};
const write = (content: string): void => writeFileSync(join(folder, 'x.cedar'), content);

describe('policy apply', () => {
  test('takes the id from the annotation', async () => {
    write(text);
    gateway.onJson('PUT /v1/policies/no-latest', policy);
    const { code, stdout } = await berth('policy apply -f x.cedar');
    expect(stdout).toContain('no-latest is in force, version 1: deny in platform.');
    expect(code).toBe(0);
    expect(gateway.requests('PUT')[0].body).toEqual({ text });
  });

  test('asks for an id where there is none', async () => {
    const stdin = 'forbid (principal, action, resource);';
    const { code, stderr } = await berth('policy apply -f -', { stdin });
    expect(code).toBe(2);
    expect(stderr).toContain('--id');
  });

  test('says where it is to hold, and how hard', async () => {
    write(text);
    gateway.onJson('PUT /v1/policies/no-latest', policy);
    await berth('policy apply -f x.cedar --scope teams/a --scope projects/b --mode warn');
    await berth('policy apply -f x.cedar --mode dry-run');
    expect(gateway.requests('PUT').map(({ body }) => body)).toEqual([
      {
        text,
        bindings: [
          { scope: 'teams/a', mode: 'warn' },
          { scope: 'projects/b', mode: 'warn' },
        ],
      },
      { text, bindings: [{ scope: 'platform', mode: 'dry-run' }] },
    ]);
    const { code, stderr } = await berth('policy apply -f x.cedar --scope team/a');
    expect([code, stderr]).toEqual([2, expect.stringContaining('teams/<team>')]);
  });
});

describe('policy bind and unbind', () => {
  const two = [...everywhere, { scope: 'teams/a', mode: 'warn' }];

  test('change what they name, of the version that they saw', async () => {
    gateway.onJson('GET /v1/policies/no-latest', { ...policy, version: 7, bindings: two });
    gateway.onJson('PUT /v1/policies/no-latest/bindings', { ...policy, version: 8 });
    const { stdout } = await berth('policy bind no-latest --scope teams/a');
    expect(stdout).toBe('Policy no-latest, version 8: deny in platform.\n');
    await berth('policy unbind no-latest --scope platform');
    expect(gateway.requests('PUT').map(({ body }) => body)).toEqual([
      { bindings: [...everywhere, { scope: 'teams/a', mode: 'deny' }], expectedVersion: 7 },
      { bindings: [{ scope: 'teams/a', mode: 'warn' }], expectedVersion: 7 },
    ]);
  });

  test('say what they need', async () => {
    gateway.onJson('GET /v1/policies/no-latest', policy);
    expect((await berth('policy bind no-latest')).stderr).toContain('--scope');
    const { code, stderr } = await berth('policy unbind no-latest --scope teams/a');
    expect([code, stderr]).toEqual([2, expect.stringContaining('deny in platform')]);
    expect(gateway.requests('PUT')).toEqual([]);
  });
});

describe('the versions of a policy', () => {
  const version = (number: number, own: object = {}): object => ({
    ...{
      version: number,
      change: 'applied',
      text,
      bindings: everywhere,
      revision: number,
      at: TIME,
      by: 'mira',
    },
    ...own,
  });
  const versions = [
    version(3, { change: 'removed', text: null, bindings: [] }),
    version(2, { text: text.replace('forbid', 'permit') }),
    version(1),
  ];
  beforeEach(() =>
    gateway.onJson('GET /v1/policies/no-latest/versions', { items: versions, nextCursor: null }),
  );

  test('are a table', async () => {
    const { stdout } = await berth('policy history no-latest');
    expect(stdout).toMatch(/^3 +removed .*-\n2 +applied .* by mira +deny in platform$/m);
  });

  test('are compared line by line', async () => {
    const { stdout } = await berth('policy diff no-latest 1 2');
    expect(stdout).toContain(
      '-forbid (principal, action, resource);\n+permit (principal, action, resource);\n',
    );
    expect((await berth('policy diff no-latest')).stdout).toContain('-permit (principal, action, resource);');
    expect((await berth('policy diff no-latest 1 1')).stderr).toContain('are the same');
    const { code, stderr } = await berth('policy diff no-latest 9');
    expect([code, stderr]).toEqual([2, expect.stringContaining('1 to 3')]);
  });

  test('come back', async () => {
    gateway.onJson('POST /v1/policies/no-latest/rollbacks', { ...policy, version: 4 });
    expect((await berth('policy rollback no-latest 1')).stdout).toContain('version 4: deny in platform');
    await berth('policy rollback no-latest');
    expect(gateway.requests('POST').map(({ body }) => body)).toEqual([{ version: 1 }, {}]);
  });
});

test('policy fmt prints, or writes where asked', async () => {
  gateway.onJson('POST /v1/policies/format', { text: 'laid out\n' });
  write(text);
  expect((await berth('policy fmt -f x.cedar')).stdout).toBe('laid out\n');
  expect(readFileSync(join(folder, 'x.cedar'), 'utf8')).toBe(text);
  expect((await berth('policy fmt -f x.cedar --write')).stderr).toContain('laid out anew');
  expect(readFileSync(join(folder, 'x.cedar'), 'utf8')).toBe('laid out\n');
});

describe('policy simulate', () => {
  const simulation = {
    ...{ since: TIME, replayed: 12, skipped: 1, cut: true, denied: 3, allowed: 0, warned: 0, left: 2 },
    impacts: [
      {
        ...{ effect: 'denied', principal: 'dan', action: 'deployment.create', hook: 'after', count: 3 },
        ...{ resource: { type: 'Environment', id: 'shop.dev' }, lastAt: TIME, decision: ID },
        policies: [{ id: 'no-latest', message: 'm' }],
      },
    ],
  };

  test('sends each change, and tells who is hit', async () => {
    write(text);
    gateway.onJson('POST /v1/policies/simulations', simulation);
    const { stdout, stderr } = await berth(
      'policy simulate -f x.cedar --remove old --id other --mode warn --limit 12',
    );
    expect(stdout).toMatch(
      /denied +dan +deployment\.create \(after\) +Environment shop\.dev +3 .*no-latest: m/,
    );
    expect(stderr).toContain('12 decisions');
    expect(stderr).toContain('--limit');
    const bindings = [{ scope: 'platform', mode: 'warn' }];
    expect(gateway.requests('POST')[0].body).toEqual({
      limit: 12,
      changes: [
        { id: 'no-latest', text, bindings },
        { id: 'other', bindings },
        { id: 'old', text: null },
      ],
    });
  });

  test('needs a change', async () => {
    const { code, stderr } = await berth('policy simulate');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--remove')]);
  });
});

test('policy explain tells what holds, and what nearly does', async () => {
  const applying = (id: string, holds: boolean): object => ({
    ...{ id, effect: 'forbid', scope: 'platform', mode: 'deny', holds, message: 'm', left: holds ? 0 : 2 },
    conditions: [{ text: 'a\n  == b', outcome: holds ? 'holds' : 'errs', error: holds ? null : 'no b' }],
  });
  gateway.onJson('POST /v1/policies/explanations', {
    ...{ decision: ID, time: TIME, action: 'deployment.create', hook: 'before', principal: 'dan' },
    ...{ resource: { type: 'Environment', id: 'shop.dev' }, context: { a: 1 }, allowed: false },
    policies: [{ id: 'rule', message: 'm' }],
    now: { allowed: true, policies: [], advice: [] },
    applying: [applying('rule', true), ...Array.from({ length: 7 }, (_, n) => applying(`near-${n}`, false))],
  });
  const { stdout, stderr } = await berth(`policy explain ${ID}`);
  expect(stdout).toContain('rule (forbid, deny in platform)\n    yes a == b\n');
  expect(stdout).toContain(
    'near-4 (forbid, deny in platform)\n    err a == b: no b\n    ... 2 more, not come to\n',
  );
  expect(stdout).not.toContain('near-5');
  expect(stderr).toContain('2 more: --all');
  expect(stdout).toMatch(/Now +it would be allowed/);
});

describe('exceptions', () => {
  const exception = {
    ...{
      id: ID,
      policy: 'no-latest',
      scope: 'teams/a',
      owner: 'mira',
      reason: 'Until then',
      status: 'holds',
    },
    ...{ createdAt: TIME, createdBy: 'admin', expiresAt: TIME, endedAt: null, endedBy: null },
  };

  test('are made with an end, a reason and someone who answers for them', async () => {
    gateway.onJson('POST /v1/policies/no-latest/exceptions', exception, 201);
    const line = 'policy except no-latest --scope teams/a --owner mira --for 2d --reason because-of-that';
    const { stdout, stderr } = await berth(line);
    expect(stdout).toContain(`denies nothing in teams/a until ${TIME}`);
    expect(stderr).toContain(`berth policy unexcept no-latest ${ID}`);
    const [{ body }] = gateway.requests('POST');
    const { expiresAt, ...rest } = body as { expiresAt: string };
    expect(rest).toEqual({ scope: 'teams/a', owner: 'mira', reason: 'because-of-that' });
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 2 * 86_400_000)).toBeLessThan(60_000);
    expect((await berth('policy except no-latest --scope teams/a')).code).toBe(2);
  });

  test('are listed, and ended', async () => {
    gateway.onJson('GET /v1/policy-exceptions', { items: [exception], nextCursor: null });
    gateway.onJson(`DELETE /v1/policies/no-latest/exceptions/${ID}`, { ...exception, status: 'ended' });
    expect((await berth('policy exceptions --all')).stdout).toMatch(/no-latest +teams\/a +holds .* mira /);
    expect(gateway.requests('GET')[0].query).toMatchObject({ all: 'true' });
    expect((await berth(`policy unexcept no-latest ${ID}`)).stdout).toContain('holds in teams/a again');
  });
});

describe('policy test', () => {
  const cases =
    '- { name: latest is refused, action: deployment.create, context: { tags: [latest] }, expect: deny }\n';
  const result = (passed: boolean): object => ({
    ...{ name: 'latest is refused', passed, allowed: !passed, problem: passed ? null : 'expected deny' },
    policies: [{ id: 'no-latest', message: 'm' }],
  });

  test('sends a policy with the cases beside it, and tells each', async () => {
    write(text);
    writeFileSync(join(folder, 'x.test.yaml'), cases);
    gateway.onJson('POST /v1/policies/tests', { passed: 1, failed: 0, cases: [result(true)] });
    const { code, stdout } = await berth('policy test .');
    expect([code, stdout]).toEqual([0, 'x.cedar\n  ✓ latest is refused\n1 passed, 0 failed\n']);
    expect(gateway.requests('POST')[0].body).toEqual({
      policies: [{ id: 'no-latest', text }],
      cases: [
        {
          name: 'latest is refused',
          action: 'deployment.create',
          context: { tags: ['latest'] },
          expect: 'deny',
        },
      ],
      live: false,
    });
  });

  test('ends with 1 where a case fails, and says what was otherwise', async () => {
    write(text);
    writeFileSync(join(folder, 'x.test.yaml'), cases);
    gateway.onJson('POST /v1/policies/tests', { passed: 0, failed: 1, cases: [result(false)] });
    const { code, stdout } = await berth('policy test x.cedar --live');
    expect(code).toBe(1);
    expect(stdout).toContain(
      '✗ latest is refused\n      expected deny\n      no-latest: m\n0 passed, 1 failed',
    );
  });

  test.each([
    ['no cases', undefined, 'x.test.yaml'],
    ['cases that are no YAML', '- {', 'no YAML'],
    ['a case without an answer', '- { name: a, action: b }', 'expect'],
    ['a case with a word too many', cases.replace('context', 'facts'), 'facts'],
  ])('refuses %s', async (_what, written, told) => {
    write(text);
    if (written !== undefined) writeFileSync(join(folder, 'x.test.yaml'), written);
    const { code, stderr } = await berth('policy test x.cedar');
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });
});

describe('policy library', () => {
  const entry = {
    ...{ id: 'images-from', summary: 'Named registries only', text: 'forbid…', cases: [] },
    parameters: {
      registries: { type: 'set', default: ['berth'], summary: 'Where from' },
      minute: { type: 'number', default: 960, summary: 'When' },
    },
  };
  beforeEach(() => {
    gateway.onJson('GET /v1/policy-library', { items: [entry] });
    gateway.onJson('POST /v1/policy-library/images-from/renderings', { id: 'images-from', text });
    gateway.onJson('PUT /v1/policies/images-from', { ...policy, id: 'images-from' });
  });

  test('is listed and shown', async () => {
    expect((await berth('policy library ls')).stdout).toMatch(
      /images-from +Named registries only +registries, minute/,
    );
    const { stdout, stderr } = await berth('policy library show images-from');
    expect(stdout).toBe(text);
    expect(stderr).toContain('registries (set, default berth): Where from');
  });

  test('is put in force with values, where it is wanted', async () => {
    const line = 'policy library apply images-from --set registries=berth,ghcr.io --set minute=7 --mode warn';
    expect((await berth(line)).stdout).toContain('images-from is in force');
    const [{ body }] = gateway.requests('POST');
    expect(body).toEqual({ parameters: { registries: ['berth', 'ghcr.io'], minute: 7 } });
    const bindings = [{ scope: 'platform', mode: 'warn' }];
    await berth(`${line} --replace`);
    expect(gateway.requests('PUT').map(({ body: sent }) => sent)).toEqual([
      { text, bindings, expectedVersion: 0 },
      { text, bindings },
    ]);
  });

  test('does not take the place of a policy unless it is told to', async () => {
    gateway.onProblem('PUT /v1/policies/images-from', 'CONFLICT', 'The policy "images-from" has version 1.');
    const { code, stderr } = await berth('policy library apply images-from');
    expect([code, stderr]).toEqual([1, expect.stringContaining('--replace')]);
  });

  test.each([
    ['ghost', 'library ls'],
    ['images-from --set other=1', 'registries, minute'],
    ['images-from --set minute=soon', 'whole number'],
  ])('says what there is: %s', async (line, told) => {
    const { code, stderr } = await berth(`policy library apply ${line}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });
});

describe('hooks', () => {
  const hook = {
    ...{
      name: 'scanner',
      url: 'https://s.example/',
      subject: null,
      on: ['deployment.create'],
      scope: 'platform',
    },
    ...{ timeoutMs: 800, onFailure: 'deny', updatedAt: TIME, updatedBy: 'admin' },
  };

  test('are registered, and their secret is shown once', async () => {
    gateway.onJson('PUT /v1/hooks/scanner', { ...hook, secret: 'shh' });
    const line = 'hook set scanner --url https://s.example/ --on deployment.create --timeout 800';
    expect((await berth(line)).stdout).toBe(
      'Hook scanner is asked at https://s.example/ on deployment.create in platform.\nSecret: shh\n',
    );
    const body = { url: 'https://s.example/', on: ['deployment.create'], timeoutMs: 800, onFailure: 'deny' };
    expect(gateway.requests('PUT')[0].body).toEqual(body);
    gateway.onJson('PUT /v1/hooks/scanner', { ...hook, secret: null });
    expect((await berth(line)).stdout).not.toContain('Secret');
  });

  test('are listed and removed', async () => {
    gateway.onJson('GET /v1/hooks', { items: [hook], nextCursor: null });
    expect((await berth('hook ls')).stdout).toMatch(
      /scanner +https:\/\/s.example\/ +deployment.create +platform +800 ms +denies/,
    );
    gateway.on('DELETE /v1/hooks/scanner', (_request, response) => void response.writeHead(204).end());
    expect((await berth('hook rm scanner')).stdout).toContain('asked no more');
  });
});
