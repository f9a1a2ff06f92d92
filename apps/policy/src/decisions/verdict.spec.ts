import { actions, type ActionDefinition, type ResourceRef } from '@berth/contracts';
import type { Evaluation } from '../cedar/evaluator.js';
import { MessageTemplate } from '../cedar/message-template.js';
import { coversAction, scopeMessage, unknownScopes, widerThan } from '../identity/scopes.js';
import { factsOf, verdictOn, type Asker, type PoliciesInForce, type TokenState } from './verdict.js';

const platform: ResourceRef = { type: 'Platform', id: 'berth' };
const subject = { name: 'ada', kind: 'user' as const, admin: true, teams: [] };
const token: TokenState = { scopes: ['*'], expired: false, revoked: false };
const intact: PoliciesInForce = {
  messages: new Map([
    ['admins', new MessageTemplate('Admins may.')],
    ['quiet', new MessageTemplate('Not {principal.name}, with {context.tags}: {http} {context}')],
    ['sum', new MessageTemplate('Sums.')],
  ]),
  broken: new Map<string, string>(),
  members: new Map([
    ['admins@platform', { policy: 'admins', mode: 'deny' }],
    ['admins@teams/acme', { policy: 'admins', mode: 'deny' }],
    ['quiet@platform', { policy: 'quiet', mode: 'dry-run' }],
    ['quiet@teams/acme', { policy: 'quiet', mode: 'warn' }],
    ['sum@platform', { policy: 'sum', mode: 'warn' }],
  ]),
};
const allowing = { allowed: true, determining: ['admins@platform', 'admins@teams/acme'], errors: [] };
const silent = { allowed: true, determining: [], errors: [] };

function verdict(
  asker: Partial<Asker>,
  inForce = intact,
  action: ActionDefinition = actions.teamList,
  { evaluation = allowing, advice = silent }: { evaluation?: Evaluation; advice?: Evaluation } = {},
) {
  return verdictOn(
    {
      action,
      hook: 'before',
      asker: { name: 'ada', subject, token, ...asker },
      resource: platform,
      target: null,
      context: {},
      time: new Date(),
    },
    inForce,
    { evaluate: () => evaluation, advise: () => advice },
  );
}
const idOf = (...args: Parameters<typeof verdict>): string => verdict(...args).policies[0].id;

describe('a verdict', () => {
  it('is what the policies say when all else is well', () => {
    const policies = [{ id: 'admins', message: 'Admins may.' }];
    expect(verdict({})).toEqual({ allowed: true, policies, advice: [] });
  });

  it('permits nobody only what is permitted by that name', () => {
    const nobody = { name: 'anonymous', token: 'none' as const };
    const asker = { ...nobody, subject: { ...subject, name: 'anonymous', admin: false } };
    expect(verdict(asker)).toMatchObject({ allowed: false, policies: [{ id: 'default-deny' }] });
    const named = { policy: 'admins', mode: 'deny' as const, namesAnonymous: true };
    const members = new Map([...intact.members, ['admins@platform', named] as const]);
    expect(verdict(asker, { ...intact, members })).toMatchObject({ allowed: true });
    const forbidding = { allowed: false, determining: ['sum@platform'], errors: [] };
    expect(
      verdict(asker, { ...intact, members }, actions.teamList, { evaluation: forbidding }),
    ).toMatchObject({ allowed: false, policies: [{ id: 'sum' }] });
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
    const evaluation = { ...allowing, errors: [{ policy: 'sum@platform', message: 'overflow' }] };
    const answer = verdict({}, intact, actions.teamList, { evaluation });
    expect(answer).toMatchObject({
      allowed: false,
      policies: [{ id: 'evaluation-error', message: expect.stringContaining('"sum": overflow') as string }],
    });
  });

  it('tells what policies say that deny nothing, each once and as loud as it may, and changes nothing for it', () => {
    const advice = {
      allowed: false,
      determining: ['quiet@platform', 'quiet@teams/acme'],
      errors: [{ policy: 'sum@platform', message: 'overflow' }],
    };
    expect(verdict({}, intact, actions.teamList, { advice })).toMatchObject({
      allowed: true,
      advice: [
        { id: 'quiet', mode: 'warn', message: 'Not ada, with none: {http} {context}' },
        { id: 'sum', mode: 'warn', message: 'It could not be evaluated: overflow' },
      ],
    });
  });

  it('does not warn of what it denies', () => {
    const evaluation = { allowed: false, determining: ['admins@platform'], errors: [] };
    const members = new Map([
      ...intact.members,
      ['admins@teams/b', { policy: 'admins', mode: 'warn' }],
    ] as const);
    const advice = { allowed: false, determining: ['admins@teams/b', 'quiet@platform'], errors: [] };
    expect(verdict({}, { ...intact, members }, actions.teamList, { evaluation, advice })).toMatchObject({
      allowed: false,
      policies: [{ id: 'admins' }],
      advice: [{ id: 'quiet', mode: 'dry-run' }],
    });
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
