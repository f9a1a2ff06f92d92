import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, testIngressImage } from '@berth/testing';
import type { EnvironmentRef } from '../src/engine/container-engine.js';
import { connectDocker } from '../src/engine/swarm/docker-client.js';
import { SwarmObjects } from '../src/engine/swarm/swarm-objects.js';
import { WayInContainer } from '../src/engine/swarm/way-in-container.js';
import type { NetworkPlaces } from '../src/engine/way-in.js';
import { BOOT_CONFIG } from '../src/ingress/config.js';
import { engineBench, type EngineBench } from './engine-bench.js';

jest.setTimeout(60_000);

const only =
  (...wanted: EnvironmentRef[]) =>
  (): Promise<NetworkPlaces> =>
    Promise.resolve({ wanted, mayKeep: [] });

/** As two schedulers do, each with what it knows at that moment. */
describe('the networks that the way in is in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ingress-'));
  const [dev, prod] = ['dev', 'prod'].map((environment): EnvironmentRef => ({
    project: 'shop',
    environment,
  }));
  let bench: EngineBench;
  let one: WayInContainer;
  let other: WayInContainer;

  beforeAll(async () => {
    bench = await engineBench();
    await bench.engine.prepare();
    writeFileSync(join(folder, 'boot.json'), JSON.stringify(BOOT_CONFIG));
    const { installation } = bench;
    const image = await testIngressImage();
    const options = { installation, image, folder, host: '127.0.0.1', port: await freePort() };
    const make = (): WayInContainer => {
      const docker = connectDocker(bench.dockerHost);
      return new WayInContainer(docker, new SwarmObjects(docker, installation, null), options);
    };
    [one, other] = [make(), make()];
    await one.ensure();
  });
  afterAll(async () => {
    await bench.clean();
    rmSync(folder, { recursive: true, force: true });
  });

  async function networks(): Promise<Record<string, { Aliases?: string[] | null }>> {
    const container = connectDocker(bench.dockerHost).getContainer(`berth-${bench.installation}-ingress`);
    const { NetworkSettings: settings } = await container.inspect();
    return settings.Networks;
  }
  const named = (environment: string) => `berth-${bench.installation}-shop-${environment}`;
  const own = () => `berth-${bench.installation}-ingress`;

  it('are joined by both at once, under the name that instances know it by', async () => {
    await Promise.all([one, other].map((wayIn) => wayIn.join(only(dev))));
    const present = await networks();
    expect(Object.keys(present).sort()).toEqual([own(), named('dev')].sort());
    expect(present[named('dev')].Aliases).toContain('metadata.berth');
  });

  it('are not left when another has joined them in the meantime', async () => {
    await one.join(async () => {
      await other.join(only(dev, prod));
      return { wanted: [dev], mayKeep: [] };
    });
    expect(Object.keys(await networks())).toContain(named('prod'));
    await one.join(only(dev));
    expect(Object.keys(await networks())).not.toContain(named('prod'));
  });
});
