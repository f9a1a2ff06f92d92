import { BerthError } from '@berth/contracts';
import { asBerthError } from './failures.js';

const failure = (message: string, facts: object = {}): Error => Object.assign(new Error(message), facts);

describe('what leaves the house when something was thrown', () => {
  it.each([
    ['our own error', new BerthError('CONFLICT', 'no'), 'CONFLICT'],
    ['Postgres shutting down', failure('terminating connection', { code: '57P01' }), 'DATABASE_UNAVAILABLE'],
    [
      'Postgres refusing',
      failure('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
      'DATABASE_UNAVAILABLE',
    ],
    [
      'a query that lost its connection',
      failure('query failed', { driverError: failure('Connection terminated unexpectedly') }),
      'DATABASE_UNAVAILABLE',
    ],
    [
      'a body too large',
      failure('too large', { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }),
      'BODY_TOO_LARGE',
    ],
    ['a route that is not there', failure('Cannot GET /x', { status: 404 }), 'NOT_FOUND'],
    ['a bug', failure("Cannot read properties of undefined (reading 'password')"), 'INTERNAL'],
    ['a unique key', failure('duplicate key', { code: '23505' }), 'INTERNAL'],
    ['no error at all', 'just text', 'INTERNAL'],
  ])('%s', (_what, thrown, code) => {
    expect(asBerthError(thrown).code).toBe(code);
  });

  it('says nothing of the inside of a bug', () => {
    expect(asBerthError(failure('SELECT secret FROM tokens')).message).not.toContain('SELECT');
  });
});
