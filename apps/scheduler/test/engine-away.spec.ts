import { eventually, testEngine } from '@berth/testing';
import { scriptImage, webImage } from './engine-bench.js';
import { EngineGate } from './engine-gate.js';
import { SchedulerBench } from './scheduler-bench.js';

let gate: EngineGate;
let bench: SchedulerBench;

beforeAll(async () => {
  gate = new EngineGate(await testEngine());
  await gate.open();
  bench = await SchedulerBench.start({ DOCKER_HOST: gate.address });
  const [web, slow] = await Promise.all([
    webImage('web-one', 'one'),
    scriptImage('slow', 'sleep 4; touch /tmp/ready; sleep 600'),
  ]);
  bench.neighbours.images = { web, slow };
});
afterAll(async () => {
  await bench.stop();
  await gate.shut();
});

const check = 'healthcheck: { test: "test -f /tmp/ready", interval: 200ms, retries: 100 }';
const slow = `services: { web: { image: slow, ${check} } }`;

/** A deployment whose container has been started. */
async function underWay(): Promise<{ id: string; project: string; environment: string }> {
  const place = await bench.shop();
  const { id } = await bench.deploy(place, slow);
  await eventually(async () =>
    expect((await bench.services(place))[0]?.instances[0]?.state).toBe('starting'),
  );
  return { id, ...place };
}

describe('an engine that goes away in the middle of a rollout', () => {
  it('is waited for', async () => {
    const { id } = await underWay();
    await gate.shut();
    await eventually(async () =>
      expect(JSON.stringify((await bench.deployment(id)).steps)).toContain('engine does not answer'),
    );
    await gate.open();
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  });

  it('makes it fail when it stays away, and is tidied when it is back', async () => {
    await bench.stopSchedulers();
    await bench.addScheduler({ SCHEDULER_DEADLINE_SECONDS: 10 });
    const { id, project, environment } = await underWay();
    await gate.shut();
    await eventually(
      async () => {
        const { rows } = await bench.sql.query<{ undo: { reason: string } | null }>(
          'SELECT undo FROM deployments WHERE id = $1',
          [id],
        );
        expect(rows[0].undo?.reason).toContain('does not answer');
      },
      { timeout: 20_000 },
    );
    await gate.open();
    expect(await bench.finished(id)).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/does not answer.*nothing runs now/s),
    });
    expect(await bench.services({ project, environment })).toEqual([]);
  });

  it('turns new ones away meanwhile', async () => {
    const place = await bench.shop();
    await gate.shut();
    const deploying = bench.deploy(place, 'services: { web: { image: web } }');
    await expect(deploying).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await gate.open();
    const { id } = await bench.deploy(place, 'services: { web: { image: web } }');
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  });
});
