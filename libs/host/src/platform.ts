import { storeAccount, isRoot } from './account.js';
import { storeCredentials } from './credentials.js';
import { DEFAULT_DOCKER_HOST, engineVersion, isLocalEngine, startEngine, stopEngine } from './engine.js';
import { inheritedEnvironment, type HostSettings, type PortName } from './env.js';
import type { Home } from './home.js';
import { ingressImage } from './ingress-image.js';
import { buildBridge } from './isolation-rules.js';
import { applyIsolation, removeIsolation } from './isolation.js';
import { natsServer } from './integrators.js';
import { startNats, stopNats } from './nats.js';
import { assertPortFree, resolvePorts } from './ports.js';
import {
  closeDefaultDatabases,
  createDatabase,
  createServiceDatabase,
  databaseName,
} from './postgres-roles.js';
import { startPostgres, stopPostgres, superuserUrl } from './postgres.js';
import { runningProcess } from './process.js';
import { loadSecrets, newToken, readSecrets, saveSecrets, tokenHash, type Secrets } from './secrets.js';
import { natsUrl, registryAddress, serviceEnvironment, type Installation } from './service-environment.js';
import { DATABASE_SERVICES, SERVICE_NAMES, type DatabaseService, type ServiceName } from './service-names.js';
import { startServices, stopServices, type Progress } from './services.js';
import { serviceUrl } from './way-in.js';
import { isIngressUp, pauseWorkloads, resumeWorkloads, stopIngress } from './workloads.js';

/** A platform that runs, and how to reach it. */
export interface Platform {
  /** The gateway. */
  url: string;
  /** host:port of the registry. */
  registry: string;
  nats: string;
  installation: string;
  ports: Record<PortName, number>;
  /** Where services answer that requests come in to, by a pattern. */
  services: string;
  /** The admin's token, only when it was made now. */
  adminToken?: string;
  /** Where credentials of another platform were moved to, when they stood in the way. */
  keptCredentials?: string;
}

export interface BringUpOptions {
  progress: Progress;
  /** Those to start; all when left out. The others are left as they are. */
  services?: readonly ServiceName[];
  /** Replaces the admin's token: the one before is no longer accepted. */
  newAdminToken?: boolean;
}

/**
 * Starts what does not run of the data stores, the engine and the services, and waits until all answer. Nothing is
 * installed: prerequisites are in place. Idempotent, and quick when everything runs.
 */
export async function bringUp(
  home: Home,
  settings: HostSettings,
  options: BringUpOptions,
): Promise<Platform> {
  home.prepare();
  const secrets = loadSecrets(home);
  const ports = await resolvePorts(settings.ports, secrets.ports);
  saveSecrets(home, secrets);
  await assertPortsFree(home, settings, ports);

  // Noted once all runs: a first start that failed has shown nobody its token, and the next one makes another.
  const adminToken = secrets.adminTokenSha256 && !options.newAdminToken ? undefined : newToken();
  if (adminToken) secrets.adminTokenSha256 = tokenHash(adminToken);

  const { progress } = options;
  const [databaseUrls] = await Promise.all([
    bringUpPostgres(home, settings, { secrets, ports, progress }),
    bringUpNats(home, { secrets, ports, progress }),
    bringUpEngine(home, settings, { secrets, progress }),
  ]);
  const installation = {
    ...{ secrets, ports, databaseUrls },
    registryStore: home.registryStore,
    registryHost: settings.registryHost,
    backups: home.backups,
    upstreams: settings.upstreams,
    objectStore: settings.objectStore,
    cacheBytes: settings.cacheBytes,
    mirrorPort: settings.mirrorPort,
    dockerHost: settings.dockerHost,
    // Whoever turns isolation off leaves builds as open as what runs.
    buildBridge:
      !settings.isolation || isLocalEngine(settings.dockerHost) ? buildBridge(secrets.installation) : '',
    builds: settings.builds,
    ingress: await prepareIngress(home, settings, secrets, ports),
    login: settings.login,
    logLevel: settings.logLevel,
    inherited: inheritedEnvironment(),
  };
  await startServices(
    home,
    (options.services ?? SERVICE_NAMES).map((name) => ({
      name,
      env: serviceEnvironment(name, installation),
    })),
    progress,
  );
  const resumed = await resumeWorkloads(settings.dockerHost, secrets.installation, home.stoppedWorkloads);
  if (resumed > 0) progress(`started ${resumed} guest services again`);

  const url = `http://127.0.0.1:${ports.gateway}`;
  const registry = registryAddress(settings.registryHost, ports);
  const keptCredentials =
    adminToken && storeCredentials(settings.config, { url, token: adminToken, registry });
  saveSecrets(home, secrets);
  return {
    url,
    registry,
    nats: natsUrl(ports),
    installation: secrets.installation,
    ports,
    services: serviceUrl(settings, ports),
    adminToken,
    keptCredentials,
  };
}

/**
 * Stops what `bringUp` started: services, data stores, the guests, and the engine if it was started here. All data stays.
 * Returns what was stopped, by name.
 */
export async function bringDown(home: Home, settings: HostSettings): Promise<string[]> {
  const secrets = readSecrets(home);
  if (!secrets) return [];
  const stopped: string[] = await stopServices(home);
  if (await stopNats({ pidFile: home.pidFile('nats') })) stopped.push('nats');
  if (await stopPostgres({ pidFile: home.pidFile('postgres') })) stopped.push('postgres');

  const ownEngine = runningProcess(home.pidFile('dockerd')) !== undefined;
  if (!ownEngine && (await engineVersion(settings.dockerHost)) !== undefined) {
    const guests = await pauseWorkloads(settings.dockerHost, secrets.installation, home.stoppedWorkloads);
    if (guests > 0) stopped.push(`${guests} guest services`);
    if (await stopIngress(settings.dockerHost, secrets.installation)) stopped.push('ingress');
  }
  if (ownEngine && (await stopEngine({ pidFile: home.pidFile('dockerd') }))) stopped.push('docker engine');
  if (settings.isolation && isLocalEngine(settings.dockerHost) && isRoot()) {
    await removeIsolation(secrets.installation);
  }
  return stopped;
}

interface Start {
  secrets: Secrets;
  ports: Record<PortName, number>;
  progress: Progress;
}

async function bringUpPostgres(
  home: Home,
  settings: HostSettings,
  { secrets, ports, progress }: Start,
): Promise<Record<DatabaseService, string>> {
  let adminUrl = settings.postgresUrl;
  if (!adminUrl) {
    const server = {
      folder: home.postgres,
      port: ports.postgres,
      superuserPassword: secrets.postgres.superuser,
      pidFile: home.pidFile('postgres'),
      logFile: home.logFile('postgres'),
      account: storeAccount(),
      fsync: settings.fsync,
    };
    if ((await startPostgres(server)) === 'started') progress(`started Postgres on port ${ports.postgres}`);
    adminUrl = superuserUrl(server);
    await closeDefaultDatabases(adminUrl);
  }
  const database = databaseName(adminUrl);
  await createDatabase(adminUrl, database);
  const urls = {} as Record<DatabaseService, string>;
  for (const service of DATABASE_SERVICES) {
    urls[service] = await createServiceDatabase({
      ...{ adminUrl, database, service },
      password: secrets.postgres.roles[service],
    });
  }
  return urls;
}

async function bringUpNats(home: Home, { secrets, ports, progress }: Start): Promise<void> {
  const outcome = await startNats(natsServer(home, secrets, ports.nats));
  if (outcome === 'started') progress(`started NATS on port ${ports.nats}`);
}

async function bringUpEngine(home: Home, settings: HostSettings, start: Omit<Start, 'ports'>): Promise<void> {
  const { dockerHost } = settings;
  if (settings.isolation && isLocalEngine(dockerHost)) await applyIsolation(start.secrets.installation);
  if ((await engineVersion(dockerHost)) !== undefined) return;
  if (dockerHost !== DEFAULT_DOCKER_HOST) {
    throw new Error(
      `No container engine answers at DOCKER_HOST ${dockerHost}. Start it, or unset DOCKER_HOST.`,
    );
  }
  await startEngine({ pidFile: home.pidFile('dockerd'), logFile: home.logFile('dockerd') });
  start.progress('started the Docker engine');
}

/** The way in is the scheduler's to start: here is its image, and the certainty that its ports are to be had. */
async function prepareIngress(
  home: Home,
  { dockerHost, ingress }: HostSettings,
  { installation }: Secrets,
  ports: Record<PortName, number>,
): Promise<Installation['ingress']> {
  const local = isLocalEngine(dockerHost);
  if (local && !(await isIngressUp(dockerHost, installation))) {
    await assertPortFree('ingress', ports.ingress);
    if (ingress.tls.mode !== 'off') await assertPortFree('ingress-tls', ports['ingress-tls']);
  }
  return { ...ingress, image: local ? await ingressImage(dockerHost) : undefined, folder: home.ingress };
}

/** A port taken by a stranger is told now, by the name of its setting, rather than by a service that dies. */
async function assertPortsFree(
  home: Home,
  settings: HostSettings,
  ports: Record<PortName, number>,
): Promise<void> {
  const names = [...SERVICE_NAMES, 'nats', ...(settings.postgresUrl ? [] : (['postgres'] as const))] as const;
  for (const name of names) {
    if (!runningProcess(home.pidFile(name))) await assertPortFree(name, ports[name]);
  }
}
