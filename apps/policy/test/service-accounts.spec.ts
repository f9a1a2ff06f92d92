import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let mia: Principal;
let dan: Principal;
beforeAll(async () => {
  service = await PolicyService.start();
  admin = await service.admin();
  for (const name of ['acme', 'other']) await service.call(policyRpc.createTeam, { name }, admin);
  mia = (await service.person('mia', { team: 'acme', role: 'maintainer' })).principal;
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
});
afterAll(() => service.stop());

const create = (name: string, who: Principal, team = 'acme') =>
  service.call(policyRpc.createServiceAccount, { team, name, role: 'developer' }, who);
const issue = (user: string, who: Principal, scopes = ['*']) =>
  service.call(policyRpc.createToken, { user, scopes }, who);

describe('a service account of a team', () => {
  it('is made by its maintainers, with tokens that do what its role may', async () => {
    expect(await create('ci', mia)).toMatchObject({ name: 'ci', team: 'acme', role: 'developer' });
    const { token } = await issue('ci', mia);
    const ci = await service.login(token);
    expect(ci).toMatchObject({ kind: 'service', admin: false, teams: [{ team: 'acme', role: 'developer' }] });
    const project = (team: string) => ({ type: 'Project', id: 'shop', team, project: 'shop' }) as const;
    expect((await service.decide(ci, { action: 'project.read', resource: project('acme') })).allowed).toBe(
      true,
    );
    expect((await service.decide(ci, { action: 'project.read', resource: project('other') })).allowed).toBe(
      false,
    );
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({ action: 'token.create', actor: 'mia', team: 'acme', outcome: 'succeeded' }),
      ),
    );
  });

  it('is not made by others, nor are its tokens', async () => {
    const { principal: odo } = await service.person('odo', { team: 'other', role: 'maintainer' });
    expect((await failure(create('x', dan))).code).toBe('POLICY_DENIED');
    expect((await failure(create('x', odo))).code).toBe('NOT_FOUND');
    expect(await failure(issue('ci', dan))).toMatchObject({
      code: 'POLICY_DENIED',
      message: expect.stringContaining('the maintainers of team "acme"') as string,
    });
    const hidden = await failure(issue('ci', odo));
    expect([hidden.code, hidden.message.replace('"ci"', '"ghost"')]).toEqual([
      'NOT_FOUND',
      (await failure(issue('ghost', odo))).message,
    ]);
    // Being in a team makes nobody its service account.
    expect((await failure(issue('dan', mia))).code).toBe('NOT_FOUND');
    await service.call(policyRpc.createUser, { name: 'backup', kind: 'service' }, admin);
    await service.call(policyRpc.setMember, { team: 'acme', user: 'backup', role: 'viewer' }, admin);
    expect((await failure(issue('backup', mia))).code).toBe('NOT_FOUND');
  });

  it('has no token that reaches further than the one it was made with', async () => {
    const narrow = await service.login((await issue('mia', mia, ['token.*', 'read'])).token);
    await expect(issue('ci', narrow, ['read'])).resolves.toMatchObject({ user: 'ci' });
    expect(await failure(issue('ci', narrow, ['*']))).toMatchObject({
      extensions: { policies: [{ id: 'token-scope' }] },
    });
  });

  it('obeys what a policy says about tokens, whoever makes them', async () => {
    const text = `@message("Tokens hold for a day.")
      forbid (principal, action == Berth::Action::"token.create.before", resource)
      when { resource has team && context.expiresInSeconds > 86400 };`;
    await service.call(policyRpc.applyPolicy, { id: 'short-tokens', text }, admin);
    expect((await failure(issue('ci', mia))).message).toContain('Tokens hold for a day.');
    await service.call(policyRpc.removePolicy, { id: 'short-tokens' }, admin);
  });

  it('is listed to its team, and removed with its tokens at once', async () => {
    await create('bot', mia);
    const { token } = await issue('bot', mia);
    const list = await service.call(policyRpc.listServiceAccounts, { team: 'acme' }, dan);
    expect(list.items.map(({ name }) => name)).toEqual(['bot', 'ci']);
    const bot = await service.login(token);
    const gone = service.hear('user.removed.v1');
    const remove = (name: string, who: Principal) =>
      failure(service.call(policyRpc.removeServiceAccount, { team: 'acme', name }, who));
    expect((await remove('bot', dan)).code).toBe('POLICY_DENIED');
    for (const name of ['dan', 'backup', 'ghost']) expect((await remove(name, mia)).code).toBe('NOT_FOUND');
    await service.call(policyRpc.removeServiceAccount, { team: 'acme', name: 'bot' }, mia);
    expect((await failure(service.login(token))).code).toBe('UNAUTHENTICATED');
    const asked = { action: 'team.read', resource: { type: 'Team', id: 'acme', team: 'acme' } } as const;
    expect(await service.decide(bot, asked)).toMatchObject({
      allowed: false,
      policies: [{ id: 'principal-unknown' }],
    });
    await eventually(() => expect(gone).toEqual([expect.objectContaining({ data: { name: 'bot' } })]));
  });
});

describe('a user who is removed', () => {
  it('is gone with all tokens, and leaves the name free for somebody without rights', async () => {
    const { token } = await service.person('pia', { team: 'acme', role: 'maintainer' });
    await service.call(policyRpc.removeUser, { user: 'pia' }, admin);
    expect((await failure(service.login(token))).code).toBe('UNAUTHENTICATED');
    expect((await service.person('pia')).principal.teams).toEqual([]);
  });

  it('is neither oneself, nor one that every start makes anew, nor for others to remove', async () => {
    const remove = (user: string, who = admin) => failure(service.call(policyRpc.removeUser, { user }, who));
    for (const user of ['admin', 'engine', 'identity-provider']) {
      expect([user, (await remove(user)).code]).toEqual([user, 'CONFLICT']);
    }
    expect((await remove('ghost')).code).toBe('NOT_FOUND');
    expect((await remove('mia', dan)).code).toBe('NOT_FOUND');
    expect((await remove('dan', dan)).code).toBe('POLICY_DENIED');
  });
});
