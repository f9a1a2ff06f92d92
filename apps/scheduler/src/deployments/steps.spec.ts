import { failedSteps, newSteps, withStep } from './steps.js';

const noon = new Date('2026-01-01T12:00:00Z');
const later = new Date('2026-01-01T12:00:05Z');

describe('the steps of a deployment', () => {
  it('begin pending, in the order they are taken', () => {
    expect(newSteps().map(({ name, status }) => [name, status])).toEqual(
      ['resolving', 'policy', 'quota', 'rolling-out', 'healthy'].map((name) => [name, 'pending']),
    );
  });

  it('carry when each began and ended', () => {
    const begun = withStep(newSteps(), 'policy', 'running', 'asking', noon);
    expect(begun[1]).toMatchObject({ startedAt: noon.toISOString(), finishedAt: null, message: 'asking' });
    const ended = withStep(begun, 'policy', 'succeeded', null, later);
    expect(ended[1]).toMatchObject({
      startedAt: noon.toISOString(),
      finishedAt: later.toISOString(),
      message: null,
    });
    expect(ended[0]).toEqual(newSteps()[0]);
  });

  it('end with one that failed and the rest skipped', () => {
    const steps = withStep(withStep(newSteps(), 'resolving', 'succeeded', null), 'policy', 'running', null);
    expect(failedSteps(steps, 'no', later).map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
      'skipped',
      'skipped',
      'skipped',
    ]);
  });
});
