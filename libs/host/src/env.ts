import { readBuildSettings, type BuildSettings } from './build-settings.js';
import { parseBytes } from '@berth/contracts';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { readLoginSettings, type LoginSettings } from './login-settings.js';
import { readTlsSettings, type TlsSettings } from './tls-settings.js';
import { readObjectStore, type ObjectStoreSettings } from './object-store.js';

/** A port of the platform: the setting that moves it, and where it is when nobody says otherwise. */
export const PORT_SETTINGS = {
  gateway: { setting: 'BERTH_PORT', default: 4400 },
  'registry-proxy': { setting: 'BERTH_REGISTRY_PORT', default: 4401 },
  policy: { setting: 'BERTH_POLICY_PORT', default: 4402 },
  scheduler: { setting: 'BERTH_SCHEDULER_PORT', default: 4403 },
  quota: { setting: 'BERTH_QUOTA_PORT', default: 4404 },
  audit: { setting: 'BERTH_AUDIT_PORT', default: 4405 },
  nats: { setting: 'BERTH_NATS_PORT', default: 4410 },
  postgres: { setting: 'BERTH_POSTGRES_PORT', default: 4411 },
  ingress: { setting: 'BERTH_INGRESS_PORT', default: 4490 },
  'ingress-tls': { setting: 'BERTH_INGRESS_TLS_PORT', default: 4493 },
} as const;

export type PortName = keyof typeof PORT_SETTINGS;

/** What an installation is told from outside. Every field has a default; a wrong value is an error with its name. */
export interface HostSettings {
  /** State: databases, logs, secrets. `BERTH_HOME`. */
  home: string;
  /** The CLI's folder, with `credentials.json`. `BERTH_CONFIG`. */
  config: string;
  /** TCP ports on loopback; 0 means a free one, picked once and remembered. */
  ports: Record<PortName, number>;
  /** A Postgres run by someone else, as a role that may create roles and databases. `BERTH_POSTGRES_URL`. */
  postgresUrl?: string;
  /** False only where a lost write does not matter: tests. `BERTH_POSTGRES_FSYNC=off`. */
  fsync: boolean;
  /** `DOCKER_HOST`, or the engine's usual socket. */
  dockerHost: string;
  /** Upstream registries, as JSON for the registry-proxy. `BERTH_UPSTREAMS`. */
  upstreams: string;
  /** Where blobs are kept, when not in the home's folder. `BERTH_STORE`, `BERTH_S3_*`. */
  objectStore: ObjectStoreSettings;
  /** Bytes that images of upstreams may take; null without a limit. `BERTH_CACHE_SIZE`. */
  cacheBytes: number | null;
  /** `BERTH_BUILD_CPUS`, `BERTH_BUILD_MEMORY`, `BERTH_BUILDS`. */
  builds: BuildSettings;
  /** A port at which the registry is a mirror of Docker Hub; null for none. `BERTH_MIRROR_PORT`. */
  mirrorPort: number | null;
  /**
   * This machine, as the nodes of the swarm reach its registry: it stands in every image's name. Anything but loopback makes
   * the registry listen on all addresses. `BERTH_REGISTRY_HOST`.
   */
  registryHost: string;
  /** Where the way in answers, and the domain of the services' names. `BERTH_INGRESS_HOST`, `BERTH_DOMAIN`. */
  ingress: { host: string; domain: string; tls: TlsSettings };
  /** The identity provider. `BERTH_OIDC_*`, `BERTH_LOGIN_HOURS`. */
  login: LoginSettings;
  logLevel: string;
  /** Whether the packet filter keeps guests from the host and its networks. `BERTH_ISOLATION=off` turns it off. */
  isolation: boolean;
}

export const LOOPBACK = '127.0.0.1';

const DEFAULT_UPSTREAMS = JSON.stringify({ 'docker.io': { url: 'https://registry-1.docker.io' } });

/** Reads the settings of this installation. Throws an Error that names the variable. */
export function readHostSettings(env: NodeJS.ProcessEnv = process.env): HostSettings {
  const root = userInfo().uid === 0;
  const dataHome = env.XDG_DATA_HOME || join(homedir(), '.local', 'share');
  return {
    home: env.BERTH_HOME || (root ? '/var/lib/berth' : join(dataHome, 'berth')),
    config: env.BERTH_CONFIG || join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'berth'),
    ports: Object.fromEntries(
      Object.entries(PORT_SETTINGS).map(([name, port]) => [name, readPort(env, port.setting, port.default)]),
    ) as Record<PortName, number>,
    postgresUrl: env.BERTH_POSTGRES_URL || undefined,
    fsync: readSwitch(env, 'BERTH_POSTGRES_FSYNC'),
    dockerHost: env.DOCKER_HOST || 'unix:///var/run/docker.sock',
    upstreams: readJson(env, 'BERTH_UPSTREAMS', DEFAULT_UPSTREAMS),
    objectStore: readObjectStore(env),
    cacheBytes: readSize(env, 'BERTH_CACHE_SIZE'),
    builds: readBuildSettings(env),
    mirrorPort: readPort(env, 'BERTH_MIRROR_PORT', 0) || null,
    registryHost: readHost(env, 'BERTH_REGISTRY_HOST', LOOPBACK),
    ingress: {
      host: env.BERTH_INGRESS_HOST || '127.0.0.1',
      domain: env.BERTH_DOMAIN || 'localhost',
      tls: readTlsSettings(env),
    },
    login: readLoginSettings(env),
    logLevel: env.LOG_LEVEL || 'info',
    isolation: readSwitch(env, 'BERTH_ISOLATION'),
  };
}

const INHERITED =
  /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|DOCKER_(CERT_PATH|TLS_VERIFY)|(HTTPS?|NO|ALL)_PROXY)$/i;

/** What a started process may see of the caller's environment: enough to run, and none of the caller's secrets. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && INHERITED.test(name)) inherited[name] = value;
  }
  return inherited;
}

const OF_THE_SHELL = /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR)$/;

/** The part of an environment that decides what a service does: npm and another shell have another PATH. */
export function withoutShell(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_SHELL.test(name)));
}

/** Folders that hold commands, including those that a non-root PATH leaves out. */
export function commandFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return [...new Set([...(env.PATH ?? '').split(':').filter(Boolean), ...usual])];
}

function readPort(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`${name} must be a TCP port from 0 to 65535 (0 picks a free one), not "${text}".`);
  }
  return port;
}

function readHost(env: NodeJS.ProcessEnv, name: string, fallback: string): string {
  const text = env[name] || fallback;
  if (!/^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(text))
    throw new Error(`${name} must be a host name or an IPv4 address, without a port, not "${text}".`);
  return text;
}

function readSize(env: NodeJS.ProcessEnv, name: string): number | null {
  const text = env[name];
  if (text === undefined || text === '') return null;
  const bytes = parseBytes(text);
  if (bytes === null) throw new Error(`${name} must be a size such as 50GiB, not "${text}".`);
  return bytes;
}

function readSwitch(env: NodeJS.ProcessEnv, name: string): boolean {
  const text = env[name] || 'on';
  if (text !== 'on' && text !== 'off') throw new Error(`${name} must be "on" or "off", not "${text}".`);
  return text === 'on';
}

function readJson(env: NodeJS.ProcessEnv, name: string, fallback: string): string {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} must be JSON, such as ${fallback}: ${(error as Error).message}`);
  }
  return text;
}
