import { z } from 'zod';
import { BerthError, ERRORS, parseOrThrow, Problem } from './errors.js';

describe('errors', () => {
  it('survive the way over the wire', () => {
    const sent = new BerthError('QUOTA_EXCEEDED', 'too much', { limits: [{ scope: 'teams' }] });
    const wire: unknown = JSON.parse(JSON.stringify(sent.toProblem('c-1')));
    const received = BerthError.fromProblem(Problem.parse(wire));
    expect(received).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      status: 409,
      message: 'too much',
      extensions: sent.extensions,
    });
  });

  it('never let an extension pass for a standard member', () => {
    const problem = new BerthError('NOT_FOUND', 'gone', {
      status: 200,
      code: 'FINE',
      title: 'Fine',
    }).toProblem();
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND', title: 'Not found' });
  });

  it('have a status that fits HTTP and a title', () => {
    for (const [status, title] of Object.values(ERRORS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).not.toBe('');
    }
  });

  it('name the unknown field', () => {
    const strict = z.strictObject({ name: z.string() });
    expect(() => parseOrThrow(strict, { name: 'a', colour: 'red' })).toThrow(/colour/);
  });
});
