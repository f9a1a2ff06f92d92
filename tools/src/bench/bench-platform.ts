import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bringDown,
  bringUp,
  docker,
  Home,
  readHostSettings,
  removeWorkloads,
  stopServices,
  type HostSettings,
  type Platform,
} from '@berth/host';
import { prepareMachine } from '../setup/prepare.js';
import { deploySample } from '../setup/sample.js';

export interface BenchPlatform {
  home: Home;
  settings: HostSettings;
  platform: Platform;
  /** Removes all that was made: services, stores, guests, the image, the folder. */
  remove(): Promise<void>;
}

/**
 * A platform of its own, at free ports and in a folder of its own, with the sample project and its image on it. Removed as
 * well when the bench is told to stop.
 */
export async function startBenchPlatform(): Promise<BenchPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  chmodSync(folder, 0o711);
  const settings: HostSettings = {
    ...readHostSettings(),
    home: join(folder, 'home'),
    config: join(folder, 'config'),
  };
  settings.ports = Object.fromEntries(
    Object.keys(settings.ports).map((name) => [name, 0]),
  ) as HostSettings['ports'];
  const home = new Home(settings.home);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  await prepareMachine(home, settings, ['platform', 'sample'], progress);
  const platform = await bringUp(home, settings, { progress });
  const removeAll = async (): Promise<void> => {
    await stopServices(home);
    await removeWorkloads(settings.dockerHost, platform.installation);
    await docker(settings.dockerHost, 'image', 'rm', '--force', `${platform.registry}/demo/hello:1`).catch(
      () => undefined,
    );
    await bringDown(home, settings);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  // Once, whoever asks: a scenario that is cut off fails, and asks as well.
  let removed: Promise<void> | undefined;
  const remove = (): Promise<void> => (removed ??= removeAll());
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void remove().finally(() => process.exit(130)));
  try {
    await deploySample(home, settings, platform, progress);
    return { home, settings, platform, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
