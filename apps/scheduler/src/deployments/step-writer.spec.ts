import { setTimeout as delay } from 'node:timers/promises';
import type { DeploymentStep } from '@berth/contracts';
import { StepWriter } from './step-writer.js';
import { newSteps } from './steps.js';

describe('what is written of the steps of a deployment', () => {
  let written: DeploymentStep[][];
  let writer: StepWriter;

  beforeEach(() => {
    written = [];
    writer = new StepWriter(
      newSteps(),
      (steps) => {
        written.push(steps);
        return Promise.resolve();
      },
      () => undefined,
    );
  });

  const told = (): (string | null | undefined)[] =>
    written.map((steps) => steps.find(({ name }) => name === 'rolling-out')?.message);

  it('is the latest of many words, and not each', async () => {
    for (let word = 0; word < 50; word += 1) {
      writer.set('rolling-out', 'running', `word ${word}`);
      await delay(2);
    }
    await writer.flush();
    expect(written.length).toBeLessThan(6);
    expect(told().at(0)).toBe('word 0');
    expect(told().at(-1)).toBe('word 49');
  });

  it('comes by itself, after a pause', async () => {
    for (const word of ['one', 'two']) {
      writer.set('rolling-out', 'running', word);
      await delay(1);
    }
    expect(told()).toEqual(['one']);
    await delay(400);
    expect(told()).toEqual(['one', 'two']);
  });

  it('is at once that a step ends, and the next begins', async () => {
    writer.set('rolling-out', 'running', 'one');
    await delay(1);
    writer.set('rolling-out', 'running', 'two');
    await delay(1);
    writer.set('rolling-out', 'succeeded', null);
    writer.set('healthy', 'running', null);
    await delay(1);
    expect(written).toHaveLength(2);
    expect(writer.current).toBe(written[1]);
  });
});
