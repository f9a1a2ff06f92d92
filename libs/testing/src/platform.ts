import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  bringDown,
  bringUp,
  Home,
  inheritedEnvironment,
  isRoot,
  readCredentials,
  readHostSettings,
  rekey,
  removeWorkloads,
  REPOSITORY,
  runCommand,
  runningProcess,
  stopProcess,
  stopServices,
  type HostSettings,
  type ServiceName,
} from '@berth/host';
import { ApiClient } from './api-client.js';
import { runFolder } from './env.js';
import type { TestNodes } from './engines.js';
import { makeBucket } from './object-storage.js';
import { startOnce, testEngine, upstreamRegistry } from './parts.js';

export interface PlatformOptions {
  /** Upstream registries; the run's own stands for Docker Hub when left out. */
  upstreams?: Record<string, { url: string }>;
  logLevel?: string;
  /** Nodes whose first engine it uses, instead of the run's; see `startNodes`. */
  on?: TestNodes;
  /** Those to start; all six when left out. */
  services?: readonly ServiceName[];
  /** A bucket for blobs, in place of a folder; where its storage answers, when that is elsewhere than at the run's own. */
  bucket?: { name: string; endpoint?: string; redirect?: 'on' | 'off' };
}

/** One service of a test's platform, as a process that can be hurt. */
export interface PlatformService {
  readonly name: ServiceName;
  /** http://host:port of its health and metrics. */
  readonly url: string;
  pid(): number | undefined;
  /** Ends the process and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again if it does not run, else stops it first; resolves when it is ready. */
  restart(): Promise<void>;
  /** All that it has written. */
  logs(): string;
}

/** A whole platform of a test's own: six processes, Postgres and NATS, on ports and in a folder of their own. */
export interface TestPlatform {
  url: string;
  /** host:port */
  registry: string;
  nats: string;
  /** In the labels and names of all that it makes in the engine. */
  installation: string;
  adminToken: string;
  dockerHost: string;
  /** host:port where requests to services come in. */
  ingress: string;
  /** Passwords of the data stores, for tests that look behind the doors. */
  home: string;
  /** As the admin. */
  api: ApiClient;
  service(name: ServiceName): PlatformService;
  /** Stops or starts NATS or Postgres, for tests of their loss. */
  stopPart(part: 'nats' | 'postgres'): Promise<void>;
  startParts(): Promise<void>;
  /** As `./berth rekey` does. */
  rekey(): Promise<void>;
  /** Environment for the CLI: this platform, this token, and nobody's real configuration. */
  cliEnvironment(token?: string): Record<string, string>;
  /** Ends it and removes all that it made, in the engine by its label and never anything else. */
  stop(): Promise<void>;
}

/** Starts a platform from a current build. Takes some seconds. */
export async function startPlatform(options: PlatformOptions = {}): Promise<TestPlatform> {
  await startOnce('build', async () => ({ built: await runCommand(join(REPOSITORY, 'berth'), ['build']) }));
  const folder = newPlatformFolder();
  const home = new Home(join(folder, 'home'));
  const settings = await platformSettings(folder, options);
  const up = (services?: readonly ServiceName[]) =>
    bringUp(home, settings, { services, progress: () => undefined });
  const platform = await up(options.services);
  const adminToken = readCredentials(settings.config)?.token;
  if (!adminToken) throw new Error('The platform made no admin token.');

  const service = (name: ServiceName): PlatformService => ({
    name,
    url: `http://127.0.0.1:${platform.ports[name]}`,
    pid: () => runningProcess(home.pidFile(name))?.pid,
    kill: async (signal = 'SIGKILL') => void (await stopProcess(home.pidFile(name), { signal })),
    restart: async () => {
      await stopProcess(home.pidFile(name));
      await up([name]);
    },
    logs: () => readFileSync(home.logFile(name), 'utf8'),
  });
  return {
    url: platform.url,
    registry: platform.registry,
    nats: platform.nats,
    installation: platform.installation,
    adminToken,
    dockerHost: settings.dockerHost,
    ingress: `${settings.ingress.host}:${platform.ports.ingress}`,
    home: home.folder,
    api: new ApiClient(platform.url, adminToken),
    service,
    stopPart: async (part) => {
      await stopProcess(home.pidFile(part), { signal: part === 'postgres' ? 'SIGINT' : 'SIGTERM' });
    },
    startParts: async () => void (await up([])),
    rekey: () => rekey(home, settings, () => undefined),
    cliEnvironment: (token = adminToken) => ({
      ...inheritedEnvironment(),
      BERTH_URL: platform.url,
      BERTH_TOKEN: token,
      BERTH_CONFIG: settings.config,
    }),
    stop: async () => {
      // First the services: a scheduler that runs makes anew what is removed under its hands.
      await stopServices(home);
      await removeWorkloads(settings.dockerHost, platform.installation);
      await bringDown(home, settings);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/**
 * A folder for a platform. Of one whose state is in `home` below it, the end of the run removes all, however the run ends.
 */
export function newPlatformFolder(): string {
  const folder = mkdtempSync(join(runFolder(), 'platform-'));
  chmodSync(folder, 0o711);
  return folder;
}

async function platformSettings(folder: string, options: PlatformOptions): Promise<HostSettings> {
  const settings = readHostSettings({});
  const upstreams = options.upstreams ?? { 'docker.io': { url: (await upstreamRegistry()).url } };
  return {
    ...settings,
    home: join(folder, 'home'),
    config: join(folder, 'config'),
    ports: Object.fromEntries(Object.keys(settings.ports).map((name) => [name, 0])) as HostSettings['ports'],
    fsync: false,
    dockerHost: options.on ? options.on.nodes[0].dockerHost : await testEngine(),
    upstreams: JSON.stringify(upstreams),
    objectStore: options.bucket === undefined ? {} : await bucketSettings(options.bucket),
    cacheBytes: null,
    builds: {},
    mirrorPort: null,
    logLevel: options.logLevel ?? 'info',
    // The packet filter that could keep guests from something is the node's.
    isolation: isRoot() && !options.on,
    ...(options.on && {
      registryHost: options.on.address,
      ingress: { ...settings.ingress, host: options.on.nodes[0].address },
    }),
  };
}

async function bucketSettings({
  name,
  endpoint,
  redirect = 'off',
}: NonNullable<PlatformOptions['bucket']>): Promise<HostSettings['objectStore']> {
  const storage = await makeBucket(name);
  return {
    REGISTRY_STORE: `s3://${name}`,
    REGISTRY_S3_ENDPOINT: endpoint ?? storage.endpoint,
    REGISTRY_S3_REGION: storage.region,
    REGISTRY_S3_REDIRECT: redirect,
    REGISTRY_S3_ACCESS_KEY_ID: storage.accessKeyId,
    REGISTRY_S3_SECRET_ACCESS_KEY: storage.secretAccessKey,
  };
}
