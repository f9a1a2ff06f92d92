import { createHash, randomBytes } from 'node:crypto';
import { readJsonFile, writeAtomically } from './files.js';
import type { Home } from './home.js';
import { NATS_USERS, type NatsUser } from './nats-permissions.js';
import { DATABASE_SERVICES, type DatabaseService } from './service-names.js';
import type { PortName } from './env.js';

/** What an installation has to remember, in a file of mode 0600. No default password: each is made at first start. */
export interface Secrets {
  /** 8 hex digits: in the labels and names of all that this installation makes. */
  installation: string;
  postgres: { superuser: string; roles: Record<DatabaseService, string> };
  nats: Record<NatsUser, string>;
  /** NATS passwords of those who answer hooks, by the hook's name. */
  integrators?: Record<string, string>;
  /** Hex SHA-256 of the admin's token, which itself is only in the CLI's credentials file. Absent until a first start succeeded. */
  adminTokenSha256?: string;
  /** What the engine shows to the registry-proxy when it pulls. */
  engineToken: string;
  /** 32 bytes as base64: the scheduler's BERTH_SECRETS_KEY, which encrypts what environments keep secret. */
  secretsKey: string;
  /** The key before it, while a re-key is under way. */
  oldSecretsKey?: string;
  /** 32 bytes as base64: the policy service's BERTH_HOOKS_KEY, which signs what hooks are asked. */
  hooksKey: string;
  /** 32 bytes as base64: the registry-proxy's REGISTRY_KEY, which encrypts the passwords of upstreams. */
  registryKey: string;
  /** Ports that were picked because the setting was 0. */
  ports: Partial<Record<PortName, number>>;
}

/** A secret that nobody guesses, in letters that need no quoting in URLs, SQL and configuration files. */
export function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

/** `berth_` and 43 characters: 256 random bits. */
export function newToken(): string {
  return `berth_${randomBytes(32).toString('base64url')}`;
}

/** A key for AES-256, as base64. */
export function newSecretsKey(): string {
  return randomBytes(32).toString('base64');
}

/** Hex SHA-256, as the policy service keeps tokens. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The secrets of an installation; makes them at its first start. The admin's token comes later: see `bringUp`. */
export function loadSecrets(home: Home): Secrets {
  const found = readSecrets(home);
  if (found) {
    // Of an installation that is older than some of them.
    const made = {
      secretsKey: newSecretsKey(),
      hooksKey: newSecretsKey(),
      registryKey: newSecretsKey(),
    };
    const completed = { ...made, ...found, nats: { ...secretFor(NATS_USERS), ...found.nats } };
    const keys = [found.secretsKey, found.hooksKey, found.registryKey];
    if (!keys.every(Boolean) || NATS_USERS.some((user) => !found.nats[user])) {
      saveSecrets(home, completed);
    }
    return completed;
  }
  const secrets: Secrets = {
    installation: randomBytes(4).toString('hex'),
    postgres: { superuser: newSecret(), roles: secretFor(DATABASE_SERVICES) },
    nats: secretFor(NATS_USERS),
    engineToken: newToken(),
    secretsKey: newSecretsKey(),
    hooksKey: newSecretsKey(),
    registryKey: newSecretsKey(),
    ports: {},
  };
  saveSecrets(home, secrets);
  return secrets;
}

export function saveSecrets(home: Home, secrets: Secrets): void {
  writeAtomically(home.secrets, JSON.stringify(secrets, undefined, 2), 0o600);
}

/** The secrets of an installation that was started before; undefined when it never was. Changes nothing. */
export function readSecrets(home: Home): Secrets | undefined {
  return readJsonFile<Secrets>(home.secrets);
}

function secretFor<Name extends string>(names: readonly Name[]): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, newSecret()])) as Record<Name, string>;
}
