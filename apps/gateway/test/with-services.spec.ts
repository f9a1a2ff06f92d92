import type { AuditRecord, IssuedToken, Page, Problem } from '@berth/contracts';
import { type ApiClient, eventually, startPlatform, type TestPlatform } from '@berth/testing';

let platform: TestPlatform;
let mira: ApiClient;

beforeAll(async () => {
  platform = await startPlatform({ services: ['gateway', 'policy', 'quota', 'audit'] });
  const { api } = platform;
  for (const team of ['acme', 'rival'])
    expect((await api.post('/v1/teams', { name: team })).status).toBe(201);
  expect((await api.post('/v1/users', { name: 'mira' })).status).toBe(201);
  expect((await api.put('/v1/teams/acme/members/mira', { role: 'developer' })).status).toBe(200);
  const issued = await api.post<IssuedToken>('/v1/tokens', { user: 'mira', name: 'spec' });
  expect(issued.status).toBe(201);
  mira = api.as(issued.body.token);
});
afterAll(() => platform?.stop());

test('a person is who the token says, and sees just their own', async () => {
  const { body } = await mira.get('/v1/whoami');
  expect(body).toMatchObject({ user: 'mira', admin: false, teams: [{ team: 'acme', role: 'developer' }] });
  const { body: teams } = await mira.get<Page<{ name: string }>>('/v1/teams');
  expect(teams.items.map(({ name }) => name)).toEqual(['acme']);
  const rival = await mira.get<Problem>('/v1/teams/rival');
  expect([rival.status, rival.body.code]).toEqual([404, 'NOT_FOUND']);
});

test('what policy denies says which policy, and is recorded with the correlation id', async () => {
  const { status, body, headers } = await mira.post<Problem>('/v1/teams', { name: 'mine' });
  expect([status, body.code]).toEqual([403, 'POLICY_DENIED']);
  expect(body.policies).toEqual(expect.any(Array));
  const correlationId = headers.get('x-correlation-id');
  await eventually(async () => {
    const records = await platform.api.get<Page<AuditRecord>>(
      `/v1/audit/records?correlationId=${correlationId}`,
    );
    expect(records.body.items).toMatchObject([{ action: 'team.create', outcome: 'denied', actor: 'mira' }]);
  });
});

test('the log is taken out whole, a record a line, however many pages it has', async () => {
  // Each denial is a record: more of them than go into a batch.
  for (let batch = 0; batch < 11; batch += 1)
    await Promise.all(Array.from({ length: 20 }, () => mira.post('/v1/teams', { name: 'mine' })));
  const filter = 'action=team.create&outcome=denied&actor=mira';
  const take = (query: string): Promise<Response> =>
    fetch(`${platform.api.url}/v1/audit/export?${query}`, {
      headers: { authorization: `Bearer ${platform.api.token}` },
    });
  await eventually(async () => {
    const answer = await take(filter);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).trim().split('\n');
    const ids = lines.map((line) => (JSON.parse(line) as AuditRecord).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(220);
  });
  expect(await (await take(`${filter}&project=none`)).text()).toBe('');
  const refused = await mira.get<Problem>('/v1/audit/export?team=acme');
  expect([refused.status, refused.body.code]).toEqual([403, 'POLICY_DENIED']);
  const unknown = await platform.api.get<Problem>('/v1/audit/export?limit=3');
  expect([unknown.status, unknown.body.code]).toEqual([400, 'VALIDATION_FAILED']);
});

test('a cursor that is none of ours is refused', async () => {
  const { status, body } = await platform.api.get<Problem>('/v1/teams?cursor=nonsense');
  expect([status, body.code]).toEqual([400, 'CURSOR_INVALID']);
});

test('pages come one after the other', async () => {
  const first = await platform.api.get<Page<{ name: string }>>('/v1/teams?limit=1');
  const second = await platform.api.get<Page<{ name: string }>>(
    `/v1/teams?limit=1&cursor=${encodeURIComponent(first.body.nextCursor ?? '')}`,
  );
  expect([...first.body.items, ...second.body.items].map(({ name }) => name).sort()).toEqual([
    'acme',
    'rival',
  ]);
});

test('a limit that is set is read back', async () => {
  const limits = { cpu: 4, memory: '8GiB', instances: 5 };
  const set = await platform.api.put('/v1/quotas/teams/acme', { limits });
  expect([set.status, set.body]).toMatchObject([200, { scope: 'teams', name: 'acme', limits }]);
  expect((await mira.get('/v1/quotas/teams/acme')).body).toMatchObject({ limits });
});

test('an idempotency key works with the credentials that a gateway has', async () => {
  const headers = { 'idempotency-key': 'one' };
  const first = await platform.api.post('/v1/teams', { name: 'once' }, headers);
  const second = await platform.api.post('/v1/teams', { name: 'once' }, headers);
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
});

test('a revoked token is refused from then on', async () => {
  const { body: issued } = await mira.post<IssuedToken>('/v1/tokens', { name: 'short' });
  const short = platform.api.as(issued.token);
  expect((await short.get('/v1/whoami')).status).toBe(200);
  expect((await mira.delete(`/v1/tokens/${issued.id}`)).status).toBe(204);
  const { status, body } = await short.get<Problem>('/v1/whoami');
  expect([status, body.code]).toEqual([401, 'TOKEN_REVOKED']);
});
