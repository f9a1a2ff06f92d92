import { existsSync, readFileSync } from 'node:fs';
import { ACCOUNT_NAME, findAccount, isRoot } from './account.js';
import { findBusybox } from './busybox.js';
import { findCommand } from './command.js';
import { DEFAULT_DOCKER_HOST, engineVersion, isLocalEngine } from './engine.js';
import type { HostSettings } from './env.js';
import type { Home } from './home.js';
import { findPostgres } from './postgres-binaries.js';
import { COMMAND_PACKAGES, type CommandName, type MachineFacts } from './prerequisites.js';

/** Of Debian's `python3-swift`, which brings no running services. */
const SWIFT = '/usr/lib/python3/dist-packages/swift/proxy';

/** Looks at the machine. Changes nothing. */
export async function gatherFacts(home: Home, settings: HostSettings): Promise<MachineFacts> {
  const release = readOsRelease();
  const families = [release.ID, ...(release.ID_LIKE ?? '').split(' ')];
  return {
    linux: process.platform === 'linux',
    debianLike:
      families.some((id) => id === 'debian' || id === 'ubuntu') && findCommand('apt-get') !== undefined,
    distribution: release.PRETTY_NAME ?? process.platform,
    root: isRoot(),
    commands: (Object.keys(COMMAND_PACKAGES) as CommandName[]).filter(
      (name) => findCommand(name) !== undefined,
    ),
    engine: (await engineVersion(settings.dockerHost)) !== undefined,
    defaultDockerHost: settings.dockerHost === DEFAULT_DOCKER_HOST,
    localEngine: isLocalEngine(settings.dockerHost),
    postgres: settings.postgresUrl !== undefined || findPostgres().length > 0,
    account: findAccount(ACCOUNT_NAME) !== undefined,
    certificates:
      existsSync('/etc/ssl/certs/ca-certificates.crt') || existsSync('/etc/pki/tls/certs/ca-bundle.crt'),
    busybox: findBusybox(home.packages) !== undefined,
    objectStorage: existsSync(SWIFT),
    isolation: settings.isolation,
  };
}

/** os-release(5) as an object. */
function readOsRelease(): Record<string, string | undefined> {
  if (!existsSync('/etc/os-release')) return {};
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  return Object.fromEntries(
    lines
      .map((line) => /^([A-Z_]+)="?([^"]*)"?$/.exec(line))
      .filter((match) => match !== null)
      .map((match) => [match[1], match[2]]),
  ) as Record<string, string | undefined>;
}
