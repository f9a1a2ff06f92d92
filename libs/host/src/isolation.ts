import { readFileSync } from 'node:fs';
import { runCommand, tryCommand } from './command.js';
import { chainNames, jumps, outerNameServers, renderChains, type Jump } from './isolation-rules.js';

/** `-w`: wait for whoever else is changing the tables, such as the Docker engine. */
const WAIT = ['-w', '10'];

/** Puts the isolation rules in place, or renews them. Needs root. May come before the engine: then no guest starts without. */
export async function applyIsolation(installation: string): Promise<void> {
  // The engine takes this chain as it finds it. Fails when it is there.
  await tryCommand('iptables', [...WAIT, '-N', 'DOCKER-USER']);
  const nameServers = outerNameServers(readResolvConf());
  await runCommand('iptables-restore', ['--noflush', ...WAIT], {
    input: renderChains({ installation, nameServers }),
  });
  for (const jump of jumps(installation)) {
    if (!(await hasJump(jump)))
      await runCommand('iptables', [...WAIT, '-I', jump.parent, '1', ...words(jump)]);
  }
}

/** Whether guests are sent through this installation's rules. */
export async function isIsolated(installation: string): Promise<boolean> {
  for (const jump of jumps(installation)) if (!(await hasJump(jump))) return false;
  return true;
}

/** Removes the rules of this installation, and nothing else. */
export async function removeIsolation(installation: string): Promise<void> {
  for (const jump of jumps(installation)) {
    while (await hasJump(jump)) await runCommand('iptables', [...WAIT, '-D', jump.parent, ...words(jump)]);
  }
  for (const chain of Object.values(chainNames(installation))) {
    // Fails when there is no such chain, which is what is wanted.
    await tryCommand('iptables', [...WAIT, '-F', chain]);
    await tryCommand('iptables', [...WAIT, '-X', chain]);
  }
}

async function hasJump(jump: Jump): Promise<boolean> {
  const { code } = await tryCommand('iptables', [...WAIT, '-C', jump.parent, ...words(jump)]);
  return code === 0;
}

function words(jump: Jump): string[] {
  return jump.rule.split(' ');
}

function readResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}
