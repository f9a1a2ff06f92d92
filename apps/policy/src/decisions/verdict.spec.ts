import { actions, type ActionDefinition, type ResourceRef } from '@berth/contracts';
import { coversAction, scopeMessage, unknownScopes, widerThan } from '../identity/scopes.js';
import { factsOf, verdictOn, type Asker, type TokenState } from './verdict.js';

const platform: ResourceRef = { type: 'Platform', id: 'berth' };
const subject = { name: 'ada', kind: 'user' as const, admin: true, teams: [] };
const token: TokenState = { scopes: ['*'], expired: false, revoked: false };
const intact = { messages: new Map([['admins', 'Admins may.']]), broken: new Map<string, string>() };

function verdict(asker: Partial<Asker>, inForce = intact, action: ActionDefinition = actions.teamList) {
  return verdictOn(
    {
      action,
      hook: 'before',
      asker: { name: 'ada', subject, token, ...asker },
      resource: platform,
      target: null,
      context: {},
    },
    inForce,
    () => ({ allowed: true, determining: ['admins'], errors: [] }),
  );
}
const idOf = (...args: Parameters<typeof verdict>): string => verdict(...args).policies[0].id;

describe('a verdict', () => {
  it('is what the policies say when all else is well', () => {
    expect(verdict({})).toEqual({ allowed: true, policies: [{ id: 'admins', message: 'Admins may.' }] });
  });

  it.each<[string, Partial<Asker>]>([
    ['principal-unknown', { subject: null }],
    ['token-unknown', { token: 'unknown' }],
    ['token-revoked', { token: { ...token, revoked: true } }],
    ['token-expired', { token: { ...token, expired: true } }],
    ['token-scope', { token: { ...token, scopes: ['image.pull'] } }],
  ])('is %s before any policy is asked', (id, asker) => {
    expect(verdict(asker)).toMatchObject({ allowed: false, policies: [{ id }] });
  });

  it('is no with a broken policy in the set, but for the repair by an admin', () => {
    const inForce = { ...intact, broken: new Map([['old', 'no such attribute']]) };
    expect(idOf({}, inForce)).toBe('policy-broken');
    expect(verdict({}, inForce, actions.policyRemove).allowed).toBe(true);
    expect(idOf({ subject: { ...subject, admin: false } }, inForce, actions.policyRemove)).toBe(
      'policy-broken',
    );
  });

  it('is no when a policy fails, even if others allow', () => {
    const answer = verdictOn(
      {
        action: actions.teamList,
        hook: 'before',
        asker: { name: 'ada', subject, token },
        resource: platform,
        target: null,
        context: {},
      },
      intact,
      () => ({ allowed: true, determining: ['admins'], errors: [{ policy: 'sum', message: 'overflow' }] }),
    );
    expect(answer).toMatchObject({ allowed: false, policies: [{ id: 'evaluation-error' }] });
  });
});

describe('scopes', () => {
  it.each([
    [['*'], 'team.create', true],
    [['read'], 'team.list', true],
    [['read'], 'team.create', false],
    [['read'], 'image.pull', true],
    [['team.*'], 'team.create', true],
    [['team.*'], 'token.create', false],
    [['team.create'], 'team.create', true],
    [['team.create'], 'team.list', false],
    [[], 'team.list', false],
  ])('%j cover %s: %s', (scopes, name, covered) => {
    const action = Object.values(actions).find((entry) => entry.name === name);
    expect(action && coversAction(scopes, action)).toBe(covered);
  });

  it.each([
    [['*'], ['read'], ['*']],
    [['read', 'team.*'], ['*'], []],
    [['team.list'], ['read'], []],
    [['team.create'], ['read'], ['team.create']],
    [['team.*'], ['team.create'], ['team.*']],
    [['team.read'], ['team.*'], []],
    [['read'], ['read'], []],
    [['nothing.known'], ['read'], ['nothing.known']],
  ])('%j asked for with %j: %j is too much', (asked, held, wider) => {
    expect(widerThan(asked, held)).toEqual(wider);
  });

  it('that cover nothing are found', () => {
    expect(unknownScopes(['*', 'read', 'team.*', 'team.list', 'team.fly', 'boat.*'])).toEqual([
      'team.fly',
      'boat.*',
    ]);
  });

  it('that would do are told', () => {
    expect(scopeMessage(actions.teamList, ['image.pull'])).toBe(
      'Needs a token with one of the scopes "team.list", "team.*", "read", "*"; this one has "image.pull".',
    );
  });
});

describe('facts', () => {
  it('that the catalog does not know are left out', () => {
    expect(factsOf(actions.teamCreate, 'before', { name: 'acme', admin: true })).toEqual({ name: 'acme' });
  });

  it('that are missing are an error', () => {
    expect(() => factsOf(actions.teamCreate, 'before', {})).toThrow('team.create.before');
  });
});
