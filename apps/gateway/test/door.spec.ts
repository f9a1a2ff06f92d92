import { BerthError, policyRpc, quotaRpc, schedulerRpc, type Problem } from '@berth/contracts';
import { ApiClient } from '@berth/testing';
import { startGateway, type TestGateway } from './gateway.js';
import { mira } from './peers.js';

let gateway: TestGateway;
const TIME = '2026-05-01T10:00:00.000Z';
const team = { name: 'acme', createdAt: TIME };

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

const codeOf = (body: unknown): string => (body as Problem).code;

describe('a token', () => {
  test.each([
    ['none', undefined, 'UNAUTHENTICATED'],
    ['an unknown one', 'Bearer bad', 'UNAUTHENTICATED'],
    ['an expired one', 'Bearer old', 'TOKEN_EXPIRED'],
    ['another scheme', 'Basic Z29vZDpnb29k', 'UNAUTHENTICATED'],
    ['one longer than any', `Bearer ${'x'.repeat(600)}`, 'UNAUTHENTICATED'],
  ])('%s is refused', async (_name, authorization, code) => {
    const headers: Record<string, string> = authorization ? { authorization } : {};
    const answer = await new ApiClient(gateway.url).get('/v1/teams', headers);
    expect(answer.status).toBe(401);
    expect(codeOf(answer.body)).toBe(code);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
    expect(gateway.peers.requests).toEqual([]);
  });

  test('is looked at before the body is', async () => {
    const answer = await new ApiClient(gateway.url).post('/v1/teams', '{ broken');
    expect(answer.status).toBe(401);
  });

  test('stands for somebody, and that is whom others are asked for', async () => {
    gateway.peers.on(policyRpc.whoami, (_payload, { actor }) => actor ?? mira);
    const { status, body } = await gateway.api.get('/v1/whoami');
    expect(status).toBe(200);
    expect(body).toEqual(mira);
    expect(gateway.peers.requests[0].actor).toEqual(mira);
  });
});

describe('the way to a token', () => {
  const anybody = () => new ApiClient(gateway.url);
  const handle = 'h'.repeat(43);
  const pending = { state: 'pending' as const, intervalSeconds: 5, token: null };

  test('is open, and nobody is known on it, whatever comes along', async () => {
    gateway.peers.on(policyRpc.pollDeviceLogin, () => pending);
    expect((await anybody().post('/v1/login/device/poll', { handle })).body).toEqual(pending);
    expect((await gateway.api.post('/v1/login/device/poll', { handle })).body).toEqual(pending);
    expect(gateway.peers.requests.map(({ actor }) => actor)).toEqual([null, null]);
  });

  test('takes JSON only, and not another handle than it gives', async () => {
    const form = await anybody().post('/v1/login/device', 'client=x', { 'content-type': 'text/plain' });
    expect([form.status, codeOf(form.body)]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
    const short = await anybody().post('/v1/login/device/poll', { handle: 'short' });
    expect([short.status, codeOf(short.body)]).toEqual([400, 'VALIDATION_FAILED']);
  });

  test.each(['/v1/loginx', '/v1/login/..%2fteams', '/v1/login/unknown', '/v1//login/../teams', '/v1/LOGIN'])(
    '%s is not on it',
    async (path) => {
      expect((await anybody().get(path)).status).toBe(401);
    },
  );
});

describe('a request', () => {
  test('keeps its correlation id all the way, and has one when it brings none that is sane', async () => {
    gateway.peers.on(policyRpc.whoami, () => mira);
    const given = await gateway.api.get('/v1/whoami', { 'x-correlation-id': 'trace-1' });
    expect(given.headers.get('x-correlation-id')).toBe('trace-1');
    expect(gateway.peers.asked.map(({ correlationId }) => correlationId)).toEqual(['trace-1', 'trace-1']);
    const insane = await gateway.api.get('/v1/whoami', { 'x-correlation-id': 'a b\tc' });
    expect(insane.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['malformed JSON', '{ "name": ', 'application/json', 400, 'BODY_INVALID'],
    ['an empty body', '', 'application/json', 400, 'BODY_INVALID'],
    [
      'a body over 2 MiB',
      JSON.stringify({ name: 'x'.repeat(2_200_000) }),
      'application/json',
      413,
      'BODY_TOO_LARGE',
    ],
    ['text', '{"name":"acme"}', 'text/plain', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a form', 'name=acme', 'application/x-www-form-urlencoded', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a prototype', '{"__proto__":{"admin":true},"name":"acme"}', 'application/json', 400, 'BODY_INVALID'],
  ])('with %s is refused', async (_name, body, type, status, code) => {
    const answer = await gateway.api.post('/v1/teams', body, { 'content-type': type });
    expect([answer.status, codeOf(answer.body)]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
    expect(answer.body).toMatchObject({ status, correlationId: answer.headers.get('x-correlation-id') });
    expect(gateway.peers.requests).toEqual([]);
  });

  test.each([
    ['an unknown field', 'POST', '/v1/teams', { name: 'acme', colour: 'red' }, /Unrecognized key: "colour"/],
    ['a missing field', 'POST', '/v1/projects', { name: 'shop' }, /^team: /],
    ['a name that is no DNS label', 'POST', '/v1/teams', { name: 'Acme!' }, /^name: must be a DNS label/],
    ['an unknown parameter', 'GET', '/v1/teams?color=red', undefined, /Unrecognized key: "color"/],
    ['a limit out of bounds', 'GET', '/v1/teams?limit=1000', undefined, /^limit: /],
    ['a parameter given twice', 'GET', '/v1/teams?cursor=a&cursor=b', undefined, /^cursor: /],
    ['a path that is no name', 'GET', '/v1/projects/Shop_1', undefined, /^project: /],
    ['an id that is none', 'GET', '/v1/deployments/17', undefined, /^id: /],
    ['a field of the wrong type', 'PUT', '/v1/quotas/teams/acme', { limits: { cpu: 'a' } }, /^limits\.cpu: /],
    ['a scope that is none', 'GET', '/v1/quotas/planets/earth', undefined, /^scope: /],
    ['half an environment', 'GET', '/v1/quotas/environments/shop', undefined, /<project>\.<environment>/],
    ['a body where there is none', 'PUT', '/v1/teams/acme/members/mira', { role: 'king' }, /^role: /],
  ] as const)('with %s names it', async (_name, method, path, body, told) => {
    const answer = await gateway.api.request<Problem>(method, path, { body });
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.body.detail.replace('The request is not valid. ', '')).toMatch(told);
    expect(answer.body.fields).toHaveLength(1);
    expect(gateway.peers.requests).toEqual([]);
  });

  test('for what is not there gets a problem', async () => {
    for (const path of ['/v1/nothing', '/nothing', '/v1/teams/acme/members/mira/x']) {
      const answer = await gateway.api.get(path);
      expect([answer.status, codeOf(answer.body)]).toEqual([404, 'NOT_FOUND']);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
    }
    expect((await gateway.api.get('/v1/%E0%A4%A')).status).toBe(400);
  });
});

describe('an answer', () => {
  test('of what was created says where it is', async () => {
    gateway.peers.on(policyRpc.createTeam, () => team);
    const { status, headers, body } = await gateway.api.post('/v1/teams', { name: 'acme' });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe('/v1/teams/acme');
    expect(body).toEqual(team);
  });

  test('of what was removed has no content', async () => {
    gateway.peers.on(schedulerRpc.removeEnvironment, () => ({}));
    const { status, body } = await gateway.api.delete('/v1/projects/shop/environments/dev?volumes=true');
    expect([status, body]).toEqual([204, '']);
    expect(gateway.peers.requests[0].payload).toEqual({ project: 'shop', environment: 'dev', volumes: true });
  });

  test('hands on an error of a service as it is', async () => {
    const policies = [{ id: 'no-root', message: 'Run as a user.' }];
    gateway.peers.on(policyRpc.createTeam, () => {
      throw new BerthError('POLICY_DENIED', 'Policy denies team.create.', { policies });
    });
    const { status, body } = await gateway.api.post('/v1/teams', { name: 'acme' });
    expect(status).toBe(403);
    expect(body).toMatchObject({
      type: 'urn:berth:error:POLICY_DENIED',
      detail: 'Policy denies team.create.',
      policies,
    });
  });

  test('has headers that keep it where it belongs, and none that boast', async () => {
    gateway.peers.on(policyRpc.whoami, () => mira);
    const { headers } = await gateway.api.get('/v1/whoami');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });
});

describe('a quota of an environment', () => {
  test('is asked for with the team that owns it', async () => {
    const used = { cpu: 0, memory: '0B', instances: 0 };
    const environment = {
      project: 'shop',
      name: 'dev',
      team: 'acme',
      variables: {},
      services: {},
      configuration: 1,
      release: null,
      onDrift: 'report' as const,
      drift: null,
      halted: [],
      createdAt: TIME,
    };
    gateway.peers.on(schedulerRpc.getEnvironment, () => environment);
    const quota = { scope: 'environments', name: 'shop.dev', limits: {}, used, cost: null } as const;
    gateway.peers.on(quotaRpc.get, () => quota);
    expect((await gateway.api.get('/v1/quotas/environments/shop.dev')).body).toEqual(quota);
    const asked = gateway.peers.requests.find(({ subject }) => subject === 'berth.rpc.quota.get');
    expect(asked?.payload).toEqual({ scope: 'environments', name: 'shop.dev', team: 'acme' });
  });
});
