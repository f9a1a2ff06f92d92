import { actions } from '@berth/contracts';
import { randomBytes } from 'node:crypto';
import { Seal } from '../sealing/seal.js';
import { Access, scopeFor } from './access.js';
import { ClientTokens } from './client-tokens.js';

const key = (): string => randomBytes(32).toString('base64');
const tokens = (of: string): ClientTokens => new ClientTokens(new Seal(of, 'client tokens'));

describe('a token of the token flow', () => {
  afterEach(() => jest.restoreAllMocks());
  const access = Access.ofScopes([
    'repository:acme/web:pull,push repository:acme/api:pull',
    'repository:acme/x:*',
  ]);

  it('says whose it is and what it is for, to every instance with the key, and to nobody else', () => {
    const same = key();
    const issued = tokens(same).issue({ token: 'berth_secret', access });
    expect(issued).not.toContain('berth_secret');
    expect(Buffer.from(issued.slice(7), 'base64url').toString('latin1')).not.toContain('berth_secret');
    expect(tokens(same).read(issued)).toEqual({ token: 'berth_secret', access });
    expect(tokens(key()).read(issued)).toBeNull();
    expect(tokens(same).read(`${issued.slice(0, -4)}AAAA`)).toBeNull();
    expect(tokens(same).read('berthr_')).toBeNull();
    expect(tokens(same).read('berth_secret')).toBeUndefined();
    expect(new ClientTokens(new Seal(undefined, 'client tokens')).read(issued)).toBeUndefined();
  });

  it('ends', () => {
    const of = tokens(key());
    const issued = of.issue({ token: 'berth_secret', access });
    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + 400_000);
    expect(of.read(issued)).toBeNull();
  });

  it.each([
    ['acme/web', actions.imagePull, true],
    ['acme/web', actions.imagePush, true],
    ['acme/web', actions.imageDelete, false],
    ['acme/api', actions.imageList, true],
    ['acme/api', actions.imagePush, false],
    ['acme/x', actions.imageDelete, true],
    ['acme/other', actions.imagePull, false],
    ['acme/web', actions.nodeSet, false],
  ])('is for %s and $name: %#', (repository, action, allowed) => {
    expect(access.allows(repository, action)).toBe(allowed);
  });

  it.each([
    '',
    'registry:catalog:*',
    'repository:../x:pull',
    'repository:acme/web',
    'repository:ACME/web:pull',
  ])('is for nothing by the scope "%s"', (scope) => expect(Access.ofScopes([scope]).rights.size).toBe(0));

  it('takes a scope that says what an action needs', () => {
    expect(scopeFor('acme/web', actions.imagePush)).toBe('repository:acme/web:pull,push');
    expect(scopeFor('acme/web', actions.imageDelete)).toBe('repository:acme/web:delete');
  });
});
