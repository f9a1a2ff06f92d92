import { docker, eventually } from '@berth/testing';
import { engineBench, scriptImage, shopDev, type EngineBench } from './engine-bench.js';

jest.setTimeout(60_000);

/** Backups and the users of resources are made by scripts in an instance. */
describe('a script in an instance', () => {
  let bench: EngineBench;
  let killed = 0;
  const run = (script: string) =>
    bench.engine.command(shopDev, { service: 'store', script, environment: { GREETING: 'hello' } });
  const container = async (): Promise<string> => {
    const label = `label=berth.installation=${bench.installation}`;
    return (await docker(bench.dockerHost, 'ps', '--quiet', '--filter', label)).trim();
  };

  beforeAll(async () => {
    bench = await engineBench();
    const images = { store: await scriptImage('store', 'exec sleep 1000') };
    const rollout = bench.rollout('services: { store: { image: store, stop_grace_period: 1s } }', images);
    expect((await bench.run(rollout)).outcome).toEqual({ state: 'running' });
  });
  afterAll(() => bench.clean());

  it('ends with its own code, and the last that it wrote to stderr', async () => {
    expect(await run('echo $GREETING >&2; exit 3')).toEqual({ exitCode: 3, errors: 'hello' });
  });

  it('that is killed by itself ended with 137, while the instance runs on', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ exitCode: 137 });
  });

  it.each([
    ['killed', (id: string) => docker(bench.dockerHost, 'kill', id)],
    ['removed', (id: string) => docker(bench.dockerHost, 'rm', '--force', id)],
  ])('has not ended by itself where the instance was %s', async (_how, end) => {
    const id = await eventually(async () => {
      const found = await container();
      expect(found).toMatch(/^[0-9a-f]+$/);
      return found;
    });
    const marker = `/tmp/marker-${(killed += 1)}`;
    const outcome = run(`touch ${marker}; sleep 1000`).catch((error: unknown) => error);
    await eventually(() => docker(bench.dockerHost, 'exec', id, 'test', '-e', marker));
    await end(id);
    expect(await outcome).toMatchObject({ code: 'INSTANCE_ENDED' });
  });
});
