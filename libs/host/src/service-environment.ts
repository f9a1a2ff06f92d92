import type { BuildSettings } from './build-settings.js';
import { LOOPBACK, type PortName } from './env.js';
import type { LoginSettings } from './login-settings.js';
import { tokenHash, type Secrets } from './secrets.js';
import type { DatabaseService, ServiceName } from './service-names.js';
import type { TlsSettings } from './tls-settings.js';
import type { ObjectStoreSettings } from './object-store.js';

export interface Installation {
  secrets: Secrets;
  ports: Record<PortName, number>;
  databaseUrls: Record<DatabaseService, string>;
  registryStore: string;
  /** By which nodes reach the registry. */
  registryHost: string;
  /** Folder for backups of resources. */
  backups: string;
  upstreams: string;
  objectStore: ObjectStoreSettings;
  cacheBytes: number | null;
  mirrorPort: number | null;
  dockerHost: string;
  /** Of what runs in builds; empty where no rules would keep it from the host's networks. */
  buildBridge: string;
  builds: BuildSettings;
  /** The way in: its image (none without one), its folder, where it answers, for which domain, with which certificates. */
  ingress: { image: string | undefined; folder: string; host: string; domain: string; tls: TlsSettings };
  login: LoginSettings;
  logLevel: string;
  /** What every process inherits: PATH, proxies, certificates. */
  inherited: Record<string, string>;
}

/** host:port of the registry as clients and the engine write it. */
export function registryAddress(host: string, ports: Record<PortName, number>): string {
  return `${host}:${ports['registry-proxy']}`;
}

export function natsUrl(ports: Record<PortName, number>): string {
  return `nats://127.0.0.1:${ports.nats}`;
}

/** The whole environment of a service: what it needs and nothing that another one keeps secret. */
export function serviceEnvironment(name: ServiceName, installation: Installation): Record<string, string> {
  const { secrets, ports } = installation;
  return {
    ...installation.inherited,
    NODE_ENV: 'production',
    BERTH_INSTALLATION: secrets.installation,
    LOG_LEVEL: installation.logLevel,
    HTTP_HOST: LOOPBACK,
    HTTP_PORT: String(ports[name]),
    NATS_URL: natsUrl(ports),
    NATS_USER: name,
    NATS_PASSWORD: secrets.nats[name],
    ...(name === 'gateway' ? {} : { DATABASE_URL: installation.databaseUrls[name] }),
    ...ownEnvironment(name, installation),
  };
}

function ownEnvironment(name: ServiceName, installation: Installation): Record<string, string> {
  const { secrets } = installation;
  if (name === 'policy') {
    return {
      BERTH_ADMIN_TOKEN_SHA256: secrets.adminTokenSha256 ?? '',
      BERTH_ENGINE_TOKEN_SHA256: tokenHash(secrets.engineToken),
      BERTH_HOOKS_KEY: secrets.hooksKey,
      ...installation.login,
    };
  }
  if (name === 'registry-proxy') {
    return {
      // Nodes come by other ways than loopback; the platform itself always by that.
      ...(isLoopback(installation.registryHost) ? {} : { HTTP_HOST: '0.0.0.0' }),
      BERTH_REGISTRY: registryAddress(installation.registryHost, installation.ports),
      REGISTRY_STORE: installation.registryStore,
      ...installation.objectStore,
      REGISTRY_UPSTREAMS: installation.upstreams,
      REGISTRY_KEY: secrets.registryKey,
      ...(installation.cacheBytes === null ? {} : { REGISTRY_CACHE_BYTES: String(installation.cacheBytes) }),
      ...(installation.mirrorPort === null ? {} : { REGISTRY_MIRROR_PORT: String(installation.mirrorPort) }),
    };
  }
  if (name === 'scheduler') {
    return {
      BERTH_ENGINE_TOKEN: secrets.engineToken,
      BERTH_REGISTRY: registryAddress(installation.registryHost, installation.ports),
      DOCKER_HOST: installation.dockerHost,
      BERTH_BUILD_BRIDGE: installation.buildBridge,
      ...installation.builds,
      ...ingressEnvironment(installation),
      BERTH_BACKUPS_FOLDER: installation.backups,
      BERTH_SECRETS_KEY: secrets.secretsKey,
      BERTH_SECRETS_OLD_KEYS: secrets.oldSecretsKey ?? '',
    };
  }
  return {};
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.');
}

function ingressEnvironment({ ingress, ports }: Installation): Record<string, string> {
  const { image, folder, host, domain, tls } = ingress;
  return {
    BERTH_INGRESS_IMAGE: image ?? '',
    BERTH_INGRESS_FOLDER: folder,
    BERTH_INGRESS_HOST: host,
    BERTH_INGRESS_PORT: String(ports.ingress),
    BERTH_INGRESS_DOMAIN: domain,
    BERTH_INGRESS_TLS: tls.mode,
    BERTH_INGRESS_TLS_PORT: String(ports['ingress-tls']),
    BERTH_ACME_DIRECTORY: tls.directory,
    BERTH_ACME_CA_FILE: tls.caFile,
    BERTH_ACME_EMAIL: tls.email,
  };
}
