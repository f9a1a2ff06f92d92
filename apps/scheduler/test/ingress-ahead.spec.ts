import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { schedulerRpc } from '@berth/contracts';
import { eventually, freePort, testIngressImage } from '@berth/testing';
import { webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

const run = promisify(execFile);

jest.setTimeout(120_000);

describe('the way in and a new environment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ingress-'));
  let bench: SchedulerBench;

  beforeAll(async () => {
    bench = await SchedulerBench.start({
      BERTH_INGRESS_IMAGE: await testIngressImage(),
      ...{ BERTH_INGRESS_FOLDER: folder, BERTH_INGRESS_PORT: await freePort() },
      // Woken by what happens, or not at all.
      SCHEDULER_UPKEEP_SECONDS: 600,
    });
    bench.neighbours.images = { one: await webImage('one', 'one') };
  });
  afterAll(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const networkOf = (project: string): string => `berth-${bench.installation}-${project}-dev`;
  const joined = async (): Promise<string[]> => {
    const { stdout } = await run('docker', ['inspect', `berth-${bench.installation}-ingress`]);
    const [{ NetworkSettings: settings }] = JSON.parse(stdout) as {
      NetworkSettings: { Networks: Record<string, object> };
    }[];
    return Object.keys(settings.Networks);
  };
  const eventuallyIn = (project: string): Promise<void> =>
    eventually(async () => expect(await joined()).toContain(networkOf(project)), { timeout: 20_000 });

  it('are in one network before anything runs there, and no longer where nothing is to run', async () => {
    const shop = await bench.shop();
    const other = await bench.shop();
    await Promise.all([eventuallyIn(shop.project), eventuallyIn(other.project)]);
    const { id } = await bench.deploy(shop, 'services: { quiet: { image: one, deploy: { replicas: 0 } } }');
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    await eventually(async () => expect(await joined()).not.toContain(networkOf(shop.project)), {
      timeout: 20_000,
    });
    expect(await joined()).toContain(networkOf(other.project));
  });

  it('leave no network behind when it is removed at once', async () => {
    const shop = await bench.shop();
    await bench.call(schedulerRpc.removeEnvironment, { ...shop, volumes: false });
    const next = await bench.shop();
    await eventuallyIn(next.project);
    const { stdout } = await run('docker', ['network', 'ls', '--format', '{{.Name}}']);
    expect(stdout.split('\n')).not.toContain(networkOf(shop.project));
  });
});
