import { existsSync } from 'node:fs';
import { ACCOUNT_NAME } from './account.js';
import { fetchBusybox } from './busybox.js';
import { runCommand, tryCommand, type CommandOptions } from './command.js';
import { hasSystemd } from './engine.js';
import { inheritedEnvironment } from './env.js';
import type { Home } from './home.js';
import type { Step } from './prerequisites.js';
import type { Progress } from './services.js';

/** Puts the steps of a plan in place, telling each before it is taken. Needs what the plan's obstacles ask for. */
export async function install(steps: Step[], home: Home, progress: Progress): Promise<void> {
  for (const step of steps)
    progress(`${step.kind === 'package' ? 'install' : 'add'} ${step.name}: ${step.reason}`);
  const packages = steps.filter((step) => step.kind === 'package').map((step) => step.name);
  const downloads = steps.filter((step) => step.kind === 'busybox').map((step) => step.name);
  if (packages.length + downloads.length > 0) await updateIfNeeded([...packages, ...downloads], progress);
  if (packages.length > 0) await installPackages(packages, progress);
  for (const step of steps) {
    if (step.kind === 'account') await makeAccount();
    if (step.kind === 'busybox') await fetchBusybox(home.packages);
  }
}

/** `apt-get update`, only when the lists are missing or too old to know where a package is. */
async function updateIfNeeded(packages: string[], progress: Progress): Promise<void> {
  const plan = await tryCommand(
    'apt-get',
    ['install', '--print-uris', '--yes', ...packages.filter(isInstallable)],
    apt(),
  );
  const known = await tryCommand('apt-cache', ['show', '--no-all-versions', ...packages], apt());
  if (plan.code === 0 && known.code === 0) return;
  progress('apt-get update: the package lists are missing or too old');
  await runCommand('apt-get', ['update'], apt());
}

/** busybox is only downloaded; asking to install it would propose to remove busybox-static. */
function isInstallable(name: string): boolean {
  return name !== 'busybox';
}

async function installPackages(packages: string[], progress: Progress): Promise<void> {
  // On Debian 13 and later the docker client is a package of its own.
  if (
    packages.includes('docker.io') &&
    (await tryCommand('apt-cache', ['show', 'docker-cli'], apt())).code === 0
  ) {
    packages = [...packages, 'docker-cli'];
  }
  const arguments_ = ['install', '--yes', '--no-install-recommends', ...packages];
  const services = ['nats-server', 'docker-registry', 'caddy'].filter((name) => packages.includes(name));
  await withoutServices(services, async () => {
    const first = await tryCommand('apt-get', arguments_, apt(progress));
    if (first.code === 0) return;
    // The lists knew the package, the mirror has a newer one: the lists are old.
    progress('apt-get update: a package has moved on');
    await runCommand('apt-get', ['update'], apt());
    await runCommand('apt-get', arguments_, apt(progress));
  });
}

/**
 * Debian starts what it installs: an open NATS on every address, a registry on port 5000, a web server on port 80. Berth runs its own, so those
 * of the packages are kept from starting, now and at the next boot.
 */
async function withoutServices(names: string[], work: () => Promise<void>): Promise<void> {
  const units = hasSystemd()
    ? names.map((name) => `${name}.service`).filter((unit) => !existsSync(`/lib/systemd/system/${unit}`))
    : [];
  if (units.length > 0) await runCommand('systemctl', ['mask', ...units]);
  try {
    await work();
  } finally {
    if (units.length > 0) {
      await runCommand('systemctl', ['unmask', ...units]);
      await tryCommand('systemctl', ['disable', ...units]);
    }
  }
}

async function makeAccount(): Promise<void> {
  await runCommand('useradd', [
    ...['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', ACCOUNT_NAME],
  ]);
}

function apt(progress?: Progress): CommandOptions {
  const env = { ...inheritedEnvironment(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  return progress ? { env, onOutput: tellLines(progress) } : { env };
}

/** Tells what apt downloads and sets up: on a slow line that is minutes, and silence looks like a hang. */
function tellLines(progress: Progress): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    // "Get:1 http://deb.debian.org/debian bookworm/main amd64 runc amd64 1.1.5 [2710 kB]"
    for (const line of lines) {
      const fetched = /^Get:\d+ \S+ \S+ \S+ (\S+) .*(\[.*\])$/.exec(line);
      if (fetched) progress(`  download ${fetched[1]} ${fetched[2]}`);
      else if (line.startsWith('Setting up ')) progress(`  set up ${line.split(' ')[2]}`);
    }
  };
}
