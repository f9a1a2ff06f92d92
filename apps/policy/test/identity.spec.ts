import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
beforeAll(async () => {
  service = await PolicyService.start();
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  await service.call(policyRpc.createTeam, { name: 'other' }, admin);
});
afterAll(() => service.stop());

describe('the first accounts', () => {
  it('are an admin and the engine, by the hashes of their tokens', async () => {
    expect(admin).toMatchObject({ user: 'admin', kind: 'user', admin: true, scopes: ['*'], expiresAt: null });
    await expect(service.login(service.engineToken)).resolves.toMatchObject({
      user: 'engine',
      kind: 'service',
      admin: false,
      scopes: ['image.pull'],
    });
  });

  it('are there once, however many instances start', async () => {
    await service.addInstance();
    const rows: unknown[] = await service.dataSource.query(
      `SELECT FROM tokens WHERE user_name IN ('admin', 'engine')`,
    );
    expect(rows).toHaveLength(2);
  });

  it('let the engine pull hosted images, and do nothing else', async () => {
    const engine = await service.login(service.engineToken);
    const image = { type: 'Image', id: 'acme/web', team: 'acme' } as const;
    const context = { registry: 'berth', repository: 'acme/web', reference: 'latest' };
    expect(await service.decide(engine, { action: 'image.pull', resource: image, context })).toMatchObject({
      allowed: true,
      policies: [{ id: 'engine-pulls' }],
    });
    expect((await failure(service.call(policyRpc.listTeams, {}, engine))).extensions.policies).toEqual([
      { id: 'token-scope', message: expect.stringContaining('"team.list"') as string },
    ]);
  });
});

describe('users and teams', () => {
  it('are created by admins, and by nobody else', async () => {
    const { principal } = await service.person('una');
    expect(await failure(service.call(policyRpc.createUser, { name: 'x' }, principal))).toMatchObject({
      code: 'POLICY_DENIED',
      extensions: { policies: [{ id: 'default-deny', message: 'Needs a platform admin.' }] },
    });
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({
          action: 'user.create',
          outcome: 'denied',
          actor: 'una',
          request: expect.objectContaining({ name: 'x' }) as object,
        }),
      ),
    );
  });

  it.each([
    ['createUser', { name: 'admin' }],
    ['createUser', { name: 'anonymous' }],
    ['createTeam', { name: 'acme' }],
  ] as const)('have one name each: %s', async (method, payload) => {
    expect((await failure(service.call(policyRpc[method], payload, admin))).code).toBe('ALREADY_EXISTS');
  });

  it('have names that are DNS labels, and no field that is not known', async () => {
    const bad = await failure(service.call(policyRpc.createTeam, { name: 'Acme!', colour: 'red' }, admin));
    expect(bad.code).toBe('VALIDATION_FAILED');
    expect(bad.message).toContain('colour');
  });

  it('make whoever creates a team its maintainer', async () => {
    const { items } = await service.call(policyRpc.listMembers, { team: 'acme' }, admin);
    expect(items).toContainEqual({ team: 'acme', user: 'admin', role: 'maintainer', source: 'manual' });
  });

  it('are managed by the maintainers of the team', async () => {
    const { principal: mia } = await service.person('mia', { team: 'acme', role: 'maintainer' });
    await service.person('vic');
    const member = { team: 'acme', user: 'vic' };
    await service.call(policyRpc.setMember, { ...member, role: 'viewer' }, mia);
    await service.call(policyRpc.setMember, { ...member, role: 'developer' }, mia);
    const { items } = await service.call(policyRpc.listMembers, { team: 'acme' }, mia);
    expect(items).toContainEqual({ ...member, role: 'developer', source: 'manual' });
    await service.call(policyRpc.removeMember, member, mia);
    expect((await failure(service.call(policyRpc.removeMember, member, mia))).code).toBe('NOT_FOUND');
    expect(
      (await failure(service.call(policyRpc.setMember, { ...member, user: 'ghost', role: 'viewer' }, mia)))
        .code,
    ).toBe('NOT_FOUND');
  });

  it('are not to be found by those who are not in them, whether they exist or not', async () => {
    const { principal } = await service.person('odo', { team: 'other', role: 'maintainer' });
    const [there, absent] = await Promise.all(
      ['acme', 'ghost'].map((team) => failure(service.call(policyRpc.getTeam, { team }, principal))),
    );
    expect(there.code).toBe('NOT_FOUND');
    expect(there.message.replace('acme', 'ghost')).toBe(absent.message);
    const { items } = await service.call(policyRpc.listTeams, {}, principal);
    expect(items.map(({ name }) => name)).toEqual(['other']);
  });

  it('are listed in pages', async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await service.call(policyRpc.listUsers, { limit: 2, cursor }, admin);
      expect(page.items.length).toBeLessThanOrEqual(2);
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['admin', 'engine']));
    const bad = await failure(service.call(policyRpc.listUsers, { cursor: 'nonsense' }, admin));
    expect(bad.code).toBe('CURSOR_INVALID');
  });

  it('a role that was taken away is gone for the next decision', async () => {
    const { principal } = await service.person('dora', { team: 'acme', role: 'developer' });
    const create = {
      action: 'project.create',
      resource: { type: 'Team', id: 'acme', team: 'acme' },
      context: { name: 'x' },
    } as const;
    expect((await service.decide(principal, create)).allowed).toBe(true);
    await service.call(policyRpc.removeMember, { team: 'acme', user: 'dora' }, admin);
    expect(await service.decide(principal, create)).toMatchObject({ allowed: false, visible: false });
  });
});

describe('tokens', () => {
  it('are in the database as hashes only', async () => {
    const { token } = await service.person('hana');
    expect(token).toMatch(/^berth_[\w-]{43}$/);
    const [{ dump }]: { dump: string }[] = await service.dataSource.query(
      `SELECT (SELECT json_agg(tokens) FROM tokens)::text || (SELECT coalesce(json_agg(d), '[]') FROM decisions d)::text AS dump`,
    );
    expect(dump).toContain('hana');
    expect(dump).not.toContain(token);
    expect(JSON.stringify(service.records)).not.toContain(token);
  });

  it('say who they stand for', async () => {
    const { principal } = await service.person('wim', { team: 'acme', role: 'viewer' });
    expect(await service.call(policyRpc.whoami, {}, principal)).toEqual(principal);
    expect(principal.teams).toEqual([{ team: 'acme', role: 'viewer' }]);
  });

  it('that are unknown are refused, and that is recorded', async () => {
    expect((await failure(service.login('berth_nonsense'))).code).toBe('UNAUTHENTICATED');
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({
          action: 'authentication.fail',
          code: 'UNAUTHENTICATED',
          actor: 'anonymous',
        }),
      ),
    );
  });

  it('that are unknown and many do not fill the log, and the log says so', async () => {
    await Promise.all(Array.from({ length: 100 }, () => failure(service.login('berth_guess'))));
    const written = (): typeof service.records =>
      service.records.filter(({ actor }) => actor === 'anonymous');
    await eventually(async () => {
      await failure(service.login('berth_guess'));
      expect(
        written().some(({ reason }) => /\d+ others before it were not recorded/.test(reason ?? '')),
      ).toBe(true);
    });
    expect(written().length).toBeLessThan(60);
  });

  it('that were revoked are refused at once, by authentication and by decisions', async () => {
    const { principal, token } = await service.person('rita');
    await service.call(policyRpc.revokeToken, { id: principal.tokenId }, principal);
    expect((await failure(service.login(token))).code).toBe('TOKEN_REVOKED');
    expect((await failure(service.call(policyRpc.listTeams, {}, principal))).extensions.policies).toEqual([
      { id: 'token-revoked', message: 'The token was revoked.' },
    ]);
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({
          action: 'authentication.fail',
          code: 'TOKEN_REVOKED',
          actor: 'rita',
          tokenId: principal.tokenId,
        }),
      ),
    );
  });

  it('that have expired are refused, by authentication and by decisions', async () => {
    const { principal, token } = await service.person('evan');
    await service.dataSource.query(
      `UPDATE tokens SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [principal.tokenId],
    );
    expect((await failure(service.login(token))).code).toBe('TOKEN_EXPIRED');
    expect((await failure(service.call(policyRpc.listTeams, {}, principal))).extensions.policies).toEqual([
      { id: 'token-expired', message: 'The token has expired.' },
    ]);
  });

  it('do what their scope covers, and are told what would', async () => {
    const { principal } = await service.person('sue', { team: 'acme', role: 'maintainer' }, ['read']);
    await service.call(policyRpc.getTeam, { team: 'acme' }, principal);
    const denied = await failure(
      service.call(policyRpc.setMember, { team: 'acme', user: 'admin', role: 'viewer' }, principal),
    );
    expect(denied.extensions.policies).toEqual([
      {
        id: 'token-scope',
        message: 'Needs a token with one of the scopes "member.set", "member.*", "*"; this one has "read".',
      },
    ]);
  });

  it('have scopes that mean something', async () => {
    const error = await failure(
      service.call(policyRpc.createToken, { scopes: ['read', 'boat.sail'] }, admin),
    );
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', extensions: { fields: [{ path: 'scopes' }] } });
  });

  it('hand on no more than they have', async () => {
    const { principal } = await service.person('tom', undefined, ['token.*', 'read']);
    const made = await service.call(
      policyRpc.createToken,
      { scopes: ['token.list', 'team.list'] },
      principal,
    );
    expect(made.scopes).toEqual(['token.list', 'team.list']);
    const denied = await failure(service.call(policyRpc.createToken, { scopes: ['*'] }, principal));
    expect(denied).toMatchObject({
      code: 'POLICY_DENIED',
      extensions: { policies: [{ id: 'token-scope' }] },
    });
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({ action: 'token.create', outcome: 'denied', actor: 'tom' }),
      ),
    );
  });

  it("are one's own affair, or an admin's", async () => {
    const { principal: ann } = await service.person('ann');
    const { principal: bob } = await service.person('bob');
    expect((await service.call(policyRpc.listTokens, {}, ann)).items.map(({ user }) => user)).toEqual([
      'ann',
    ]);
    expect((await failure(service.call(policyRpc.listTokens, { user: 'ann' }, bob))).code).toBe('NOT_FOUND');
    expect((await failure(service.call(policyRpc.createToken, { user: 'ann' }, bob))).code).toBe('NOT_FOUND');
    expect((await failure(service.call(policyRpc.revokeToken, { id: ann.tokenId }, bob))).code).toBe(
      'NOT_FOUND',
    );
    expect((await service.call(policyRpc.revokeToken, { id: ann.tokenId }, admin)).revokedAt).not.toBeNull();
  });
});
