import { policyRpc, type DeviceLogin, type DeviceLoginState, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { confirmInBrowser, CLIENT_SECRET, TestIdentityProvider } from './identity-provider.js';
import { failure, PolicyService } from './policy-service.js';

jest.setTimeout(60_000);

let provider: TestIdentityProvider;
let service: PolicyService;
let admin: Principal;
beforeAll(async () => {
  provider = await TestIdentityProvider.start();
  service = await PolicyService.start(2, { ...provider.env, BERTH_LOGIN_HOURS: '1' });
  admin = await service.admin();
  for (const name of ['acme', 'other']) await service.call(policyRpc.createTeam, { name }, admin);
});
afterAll(async () => {
  await service.stop();
  await provider.stop();
});

const begin = (): Promise<DeviceLogin> => service.call(policyRpc.beginDeviceLogin, { client: 'a laptop' });
const poll = ({ handle }: Pick<DeviceLogin, 'handle'>): Promise<DeviceLoginState> =>
  service.call(policyRpc.pollDeviceLogin, { handle });
const pageOf = ({ verificationUri, verificationUriComplete }: DeviceLogin): string =>
  verificationUriComplete ?? verificationUri;

/** A whole login, of somebody with these claims. */
async function logIn(sub: string, claims: Record<string, unknown>): Promise<string> {
  await provider.person(sub, claims);
  const login = await begin();
  await confirmInBrowser(pageOf(login), sub);
  const { token } = await poll(login);
  if (!token) throw new Error('it is not done');
  return token.token;
}
const teamsOf = async (token: string): Promise<Principal['teams']> => (await service.login(token)).teams;

describe('a login', () => {
  it('gives whoever confirms the code an account, and a token that ends', async () => {
    expect(await service.call(policyRpc.loginMethods, {})).toEqual({ oidc: { issuer: provider.issuer } });
    await provider.person('sub-mira', { preferred_username: 'Mira.Berg@example.org', groups: ['eng'] });
    const login = await begin();
    expect(await poll(login)).toEqual({
      state: 'pending',
      intervalSeconds: login.intervalSeconds,
      token: null,
    });
    await confirmInBrowser(pageOf(login), 'sub-mira');
    // Before its turn the provider is not asked; after it, whichever instance it comes to.
    expect((await poll(login)).state).toBe('pending');
    const done = await eventually(async () => {
      const state = await poll(login);
      expect(state.state).toBe('done');
      return state;
    });
    const { token } = done;
    expect(token).toMatchObject({ user: 'mira-berg', name: 'login: a laptop', scopes: ['*'] });
    expect(Date.parse(token?.expiresAt ?? '') - Date.now()).toBeLessThan(3_600_000);
    expect(await service.login(token?.token ?? '')).toMatchObject({
      user: 'mira-berg',
      kind: 'user',
      admin: false,
    });
    expect((await failure(poll(login))).code).toBe('LOGIN_EXPIRED');
    await eventually(() =>
      expect(service.records).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            action: 'user.create',
            actor: 'identity-provider',
            outcome: 'succeeded',
          }),
          expect.objectContaining({
            ...{ action: 'user.login', actor: 'mira-berg', outcome: 'succeeded' },
            request: { issuer: provider.issuer, subject: 'sub-mira', groups: ['eng'], first: true },
          }),
        ]),
      ),
    );
  });

  it('finds who was here before by their subject, whatever they are called now', async () => {
    const token = await logIn('sub-mira', { preferred_username: 'mira-married' });
    expect((await service.login(token)).user).toBe('mira-berg');
  });

  it('of two that poll at once is given to one', async () => {
    await provider.person('sub-tom', { preferred_username: 'tom' });
    const login = await begin();
    await confirmInBrowser(pageOf(login), 'sub-tom');
    const states = await Promise.allSettled(Array.from({ length: 6 }, () => poll(login)));
    const given = states.filter((each) => each.status === 'fulfilled' && each.value.state === 'done');
    expect(given).toHaveLength(1);
  });

  it('of one person on two devices at once makes one account', async () => {
    await provider.person('sub-zoe', { preferred_username: 'zoe' });
    const logins = [await begin(), await begin(), await begin()];
    for (const login of logins) await confirmInBrowser(pageOf(login), 'sub-zoe');
    const states = await Promise.all(logins.map(poll));
    expect(states.map(({ token }) => token?.user)).toEqual(['zoe', 'zoe', 'zoe']);
  });

  it('that is refused in the browser ends, and is recorded', async () => {
    const login = await begin();
    await confirmInBrowser(pageOf(login), 'sub-mira', 'refuse');
    expect((await failure(poll(login))).code).toBe('LOGIN_DENIED');
    expect((await failure(poll(login))).code).toBe('LOGIN_EXPIRED');
    await eventually(() =>
      expect(service.records).toContainEqual(
        expect.objectContaining({ action: 'authentication.fail', actor: 'anonymous', code: 'LOGIN_DENIED' }),
      ),
    );
  });

  it('that nobody confirms is over in time', async () => {
    await provider.tell({ deviceCodeSeconds: 1 });
    const login = await begin();
    await provider.tell({ deviceCodeSeconds: 600 });
    await eventually(async () => expect((await failure(poll(login))).code).toBe('LOGIN_EXPIRED'));
  });

  it('asks more slowly when the provider wants it', async () => {
    const login = await begin();
    await provider.tell({ deceit: 'slow_down' });
    const state = await poll(login);
    await provider.tell({ deceit: null });
    expect(state).toEqual({ state: 'pending', intervalSeconds: login.intervalSeconds + 5, token: null });
  });

  it.each(['signature', 'audience', 'issuer', 'expired'])(
    'is not believed with a false %s',
    async (deceit) => {
      await provider.person('sub-eve', { preferred_username: 'eve' });
      const login = await begin();
      await confirmInBrowser(pageOf(login), 'sub-eve');
      await provider.tell({ deceit });
      const error = await failure(poll(login));
      await provider.tell({ deceit: null });
      expect(error.code).toBe('IDENTITY_PROVIDER_UNAVAILABLE');
      const users = await service.call(policyRpc.listUsers, { limit: 200 }, admin);
      expect(users.items.map(({ name }) => name)).not.toContain('eve');
    },
  );

  it('never takes an account that is there under the name, until an admin links them', async () => {
    const { token: old } = await service.person('sam');
    const claims = { preferred_username: 'sam' };
    for (const name of ['sam', 'admin', 'engine', 'berth', 'identity-provider']) {
      const error = await failure(logIn(`sub-${name}`, { preferred_username: name }));
      expect([name, error.code]).toEqual([name, 'ALREADY_EXISTS']);
      expect(error.message).toContain(
        `berth user link ${name} --subject "sub-${name}" --issuer ${provider.issuer}`,
      );
    }
    const linked = { user: 'sam', issuer: provider.issuer, subject: 'sub-sam' };
    expect(await service.call(policyRpc.linkIdentity, { user: 'sam', subject: 'sub-sam' }, admin)).toEqual(
      linked,
    );
    expect((await service.login(await logIn('sub-sam', claims))).user).toBe('sam');
    expect((await service.login(old)).user).toBe('sam');
    const link = (user: string, subject: string, who = admin) =>
      failure(service.call(policyRpc.linkIdentity, { user, subject }, who));
    expect((await link('tom', 'sub-sam')).code).toBe('ALREADY_EXISTS');
    expect((await link('engine', 'sub-x')).code).toBe('CONFLICT');
    expect((await link('nobody', 'sub-x')).code).toBe('NOT_FOUND');
    expect((await link('sam', 'sub-x', await service.login(old))).code).toBe('POLICY_DENIED');
  });

  it('tells what to do when the provider has no name for somebody', async () => {
    const error = await failure(logIn('sub-nameless', { preferred_username: '!!!' }));
    expect(error.code).toBe('LOGIN_DENIED');
    expect(error.message).toContain('BERTH_OIDC_NAME_CLAIM');
  });

  it('is judged by policy, with the groups in the context', async () => {
    const text = `@message("Contractors do not log in here.")
      forbid (principal, action == Berth::Action::"user.login.before", resource)
      when { context.groups.contains("contractors") };`;
    await service.call(policyRpc.applyPolicy, { id: 'no-contractors', text }, admin);
    const error = await failure(logIn('sub-kim', { preferred_username: 'kim', groups: ['contractors'] }));
    expect(error).toMatchObject({
      code: 'POLICY_DENIED',
      extensions: { policies: [{ id: 'no-contractors', message: 'Contractors do not log in here.' }] },
    });
    await service.call(policyRpc.removePolicy, { id: 'no-contractors' }, admin);
  });
});

describe('groups', () => {
  it('are memberships, that follow them at each login and never touch what was given by hand', async () => {
    const { call } = { call: service.call.bind(service) };
    const group = (team: string, name: string, role: string) =>
      call(policyRpc.setGroup, { team, group: name, role }, admin);
    await group('acme', 'eng', 'developer');
    await group('acme', 'leads', 'maintainer');
    await group('other', '/eng/öps team', 'viewer');
    const lena = await logIn('sub-lena', {
      preferred_username: 'lena',
      groups: ['eng', 'leads', '/eng/öps team'],
    });
    expect(await teamsOf(lena)).toEqual([
      { team: 'acme', role: 'maintainer' },
      { team: 'other', role: 'viewer' },
    ]);
    await call(policyRpc.setMember, { team: 'other', user: 'lena', role: 'developer' }, admin);
    await logIn('sub-lena', { preferred_username: 'lena', groups: ['eng'] });
    expect(await teamsOf(lena)).toEqual([
      { team: 'acme', role: 'developer' },
      { team: 'other', role: 'developer' },
    ]);
    expect((await call(policyRpc.listMembers, { team: 'acme' }, admin)).items).toContainEqual({
      ...{ team: 'acme', user: 'lena', role: 'developer', source: 'group' },
    });
    await logIn('sub-lena', { preferred_username: 'lena', groups: [] });
    expect(await teamsOf(lena)).toEqual([{ team: 'other', role: 'developer' }]);
  });

  it('are mapped and unmapped at once for all who have logged in, by maintainers of the team', async () => {
    const ada = await logIn('sub-ada', { preferred_username: 'ada', groups: 'design' });
    const { principal: mia } = await service.person('mia', { team: 'acme', role: 'maintainer' });
    const events = [
      service.hear('group.set.v1'),
      service.hear('member.set.v1'),
      service.hear('member.removed.v1'),
    ];
    const mapping = { team: 'acme', group: 'design' };
    await service.call(policyRpc.setGroup, { ...mapping, role: 'viewer' }, mia);
    expect(await teamsOf(ada)).toEqual([{ team: 'acme', role: 'viewer' }]);
    expect((await service.call(policyRpc.listGroups, { team: 'acme' }, mia)).items).toContainEqual({
      ...{ ...mapping, role: 'viewer' },
    });
    await service.call(policyRpc.removeGroup, mapping, mia);
    expect(await teamsOf(ada)).toEqual([]);
    await eventually(() => expect(events.map((heard) => heard.length)).toEqual([1, 1, 1]));
    expect((await failure(service.call(policyRpc.removeGroup, mapping, mia))).code).toBe('NOT_FOUND');
    const foreign = { team: 'other', group: 'design', role: 'viewer' };
    expect((await failure(service.call(policyRpc.setGroup, foreign, mia))).code).toBe('NOT_FOUND');
  });

  it('that are no list of names let nobody in', async () => {
    const error = await failure(logIn('sub-odd', { preferred_username: 'odd', groups: [{ name: 'eng' }] }));
    expect(error.code).toBe('LOGIN_DENIED');
  });
});

describe('a provider', () => {
  it('that is away is told of, and tokens that there are hold', async () => {
    const token = await logIn('sub-mira', { preferred_username: 'mira' });
    const away = await PolicyService.start(1, { BERTH_OIDC_ISSUER: 'http://127.0.0.1:2000' });
    const error = await failure(away.call(policyRpc.beginDeviceLogin, {}));
    await away.stop();
    expect(error).toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE', status: 503 });
    expect(error.message).toContain('ECONNREFUSED');
    await expect(service.login(token)).resolves.toMatchObject({ user: 'mira-berg' });
  });

  it('that there is none is told of', async () => {
    const without = await PolicyService.start(1);
    expect(await without.call(policyRpc.loginMethods, {})).toEqual({ oidc: null });
    expect((await failure(without.call(policyRpc.beginDeviceLogin, {}))).code).toBe('NOT_FOUND');
    await without.stop();
  });
});

test('no handle, code, token or client secret is anywhere but where it belongs', async () => {
  await provider.person('sub-planted', { preferred_username: 'planted' });
  const waiting = await begin();
  const login = await begin();
  const events = service.hear('token.created.v1');
  await confirmInBrowser(pageOf(login), 'sub-planted');
  const { token } = await poll(login);
  await eventually(() => expect(events).toHaveLength(1));
  const tables: { name: string }[] = await service.dataSource.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const stored: unknown[] = [];
  for (const { name } of tables) {
    stored.push(await service.dataSource.query(`SELECT t::text FROM "${name}" t`));
  }
  const everything = JSON.stringify([stored, service.records, events]);
  expect(everything).toContain('sub-planted');
  for (const secret of [waiting.handle, login.handle, token?.token, CLIENT_SECRET]) {
    expect(everything).not.toContain(String(secret));
  }
});
