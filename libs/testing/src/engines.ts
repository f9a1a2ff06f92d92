import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import {
  docker,
  engineVersion,
  inheritedEnvironment,
  lastLines,
  startDetached,
  stopProcess,
  waitUntil,
} from '@berth/host';
import { runFolder } from './env.js';

/** One container engine of a test's own, on a machine of its own as far as it can tell. */
export interface TestNode {
  /** Its host name, and so its name in a swarm. */
  name: string;
  dockerHost: string;
  /** In the network of these machines, which this one is in too. */
  address: string;
  /** Its docker client. */
  docker(...args: string[]): Promise<string>;
  /** SIGKILL for dockerd alone: containers are left to themselves. */
  killEngine(): Promise<void>;
  startEngine(): Promise<void>;
}

export interface TestNodes {
  nodes: TestNode[];
  /** This machine, as the nodes reach it. */
  address: string;
  /** Ends engines and containers, and leaves nothing of them. */
  stop(): Promise<void>;
}

/**
 * Starts engines beside the run's own, each with network, mounts, processes and host name of its own, linked by a switch that
 * this machine is at as well. No route leads out. What they are hangs on processes whose pidfiles lie in the run's folder:
 * when those end, however that comes, all of it is gone. Needs root. `mirrorPort`: where on this machine they look for images first.
 */
export async function startNodes(
  count: number,
  { mirrorPort }: { mirrorPort?: number } = {},
): Promise<TestNodes> {
  const folder = mkdtempSync(join(runFolder(), 'nodes-'));
  const id = basename(folder).slice('nodes-'.length);
  const network = freeNetwork();
  const wires = new Machine(folder, 'wires');
  await wires.start();
  wires.ip('link', 'add', 'br0', 'type', 'bridge');
  wires.ip('link', 'set', 'br0', 'up');
  const own = `bt${id.toLowerCase().replace(/[^a-z\d]/g, '0')}`;
  ip('link', 'add', own, 'type', 'veth', 'peer', 'name', 'home', 'netns', String(wires.pid));
  wires.plugIn('home');
  ip('addr', 'add', `${network}.254/24`, 'dev', own);
  ip('link', 'set', own, 'up');
  const nodes: Engine[] = [];
  for (let number = 1; number <= count; number += 1) {
    const machine = new Machine(folder, `n${number}`);
    await machine.start();
    wires.ip(...`link add ${machine.name} type veth peer name eth0 netns ${machine.pid}`.split(' '));
    wires.plugIn(machine.name);
    machine.ip('addr', 'add', `${network}.${number}/24`, 'dev', 'eth0');
    machine.ip('link', 'set', 'eth0', 'up');
    const node = new Engine(machine, {
      address: `${network}.${number}`,
      network,
      mirror: mirrorPort === undefined ? null : `http://${network}.254:${mirrorPort}`,
      cgroup: `berth-${id}-${number}`,
    });
    nodes.push(node);
    await node.startEngine();
  }
  const stop = async (): Promise<void> => {
    for (const machine of [...nodes.map((node) => node.machine), wires]) await machine.end();
    for (const node of nodes) await node.removeCgroups();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  return { nodes, address: `${network}.254`, stop };
}

/** Makes a swarm of them: the first manages it, the others only work. */
export async function joinNodes([manager, ...workers]: readonly TestNode[]): Promise<void> {
  const addresses = ({ address }: TestNode): string[] => [
    '--advertise-addr',
    address,
    '--listen-addr',
    `${address}:2377`,
    '--data-path-addr',
    address,
  ];
  // Not where the machines are themselves.
  const pool = ['--default-addr-pool', '10.20.0.0/16', '--default-addr-pool-mask-length', '24'];
  await manager.docker('swarm', 'init', ...addresses(manager), ...pool, '--dispatcher-heartbeat', '2s');
  const token = (await manager.docker('swarm', 'join-token', '--quiet', 'worker')).trim();
  for (const worker of workers)
    await worker.docker('swarm', 'join', '--token', token, ...addresses(worker), `${manager.address}:2377`);
}

/** A process that namespaces hang on: its children in them, and all that is made in them, end with it. */
class Machine {
  pid = 0;

  constructor(
    readonly folder: string,
    readonly name: string,
  ) {}

  async start(): Promise<void> {
    const ready = this.path('ready');
    mkdirSync(this.path(), { recursive: true });
    // Engines keep these by fixed paths; each needs its own. The shell that waits stays, and buries whom an engine leaves:
    // a dead containerd that nobody waited for would be taken for one that runs.
    const script = `for d in docker containerd; do mkdir -p /run/$d; mount -t tmpfs tmpfs /run/$d; done
      hostname ${this.name}; ip link set lo up; touch ${ready}; sleep infinity & wait`;
    const namespaces = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
    const { pid } = startDetached({
      file: '/usr/bin/unshare',
      args: [...namespaces, 'sh', '-c', script],
      env: inheritedEnvironment(),
      pidFile: this.pidFile,
      logFile: this.path('machine.log'),
    });
    this.pid = pid;
    if (!(await waitUntil(() => existsSync(ready), 10_000)))
      throw new Error(`${this.name} did not start:\n${lastLines(this.path('machine.log'))}`);
  }

  path(...names: string[]): string {
    return join(this.folder, this.name, ...names);
  }

  /** For nsenter: one of its namespaces. */
  space(kind: 'net' | 'mount' | 'uts' | 'pid'): string {
    const files = { net: 'net', mount: 'mnt', uts: 'uts', pid: 'pid_for_children' };
    return `--${kind}=/proc/${this.pid}/ns/${files[kind]}`;
  }

  /** The network's command in here; processes keep the numbers that they have outside. */
  ip(...args: string[]): void {
    execFileSync('nsenter', [this.space('net'), 'ip', ...args]);
  }

  plugIn(device: string): void {
    this.ip('link', 'set', device, 'master', 'br0', 'up');
  }

  async end(): Promise<void> {
    await stopProcess(this.pidFile, { signal: 'SIGKILL' });
  }

  private get pidFile(): string {
    return this.path('machine.pid');
  }
}

class Engine implements TestNode {
  readonly dockerHost: string;

  constructor(
    readonly machine: Machine,
    private readonly place: { address: string; network: string; mirror: string | null; cgroup: string },
  ) {
    this.dockerHost = `unix://${machine.path('docker.sock')}`;
  }

  get name(): string {
    return this.machine.name;
  }
  get address(): string {
    return this.place.address;
  }

  docker(...args: string[]): Promise<string> {
    return docker(this.dockerHost, ...args);
  }

  async startEngine(): Promise<void> {
    const { machine, place } = this;
    // Of the one before it, which had no time to remove it: dockerd takes any live process of that number for itself.
    rmSync(this.pidFile, { force: true });
    startDetached({
      file: '/usr/bin/nsenter',
      args: [
        ...[
          machine.space('net'),
          machine.space('mount'),
          machine.space('uts'),
          machine.space('pid'),
          'dockerd',
        ],
        ...['--host', this.dockerHost, '--pidfile', this.pidFile],
        ...['--data-root', machine.path('data'), '--exec-root', machine.path('exec')],
        ...['--cgroup-parent', `/${place.cgroup}`, '--exec-opt', 'native.cgroupdriver=cgroupfs'],
        ...(place.mirror === null ? [] : ['--registry-mirror', place.mirror]),
        ...['--insecure-registry', `${place.network}.0/24`],
        ...['--default-address-pool', 'base=10.21.0.0/16,size=24', '--bip', '10.22.0.1/24'],
      ],
      env: inheritedEnvironment(),
      pidFile: machine.path('engine.pid'),
      logFile: machine.path('engine.log'),
    });
    const answers = async (): Promise<boolean> => (await engineVersion(this.dockerHost)) !== undefined;
    if (!(await waitUntil(answers, 60_000, 100)))
      throw new Error(`The engine of ${this.name} did not start:\n${lastLines(machine.path('engine.log'))}`);
  }

  async killEngine(): Promise<void> {
    // Its number is one of its own machine.
    execFileSync('nsenter', [this.machine.space('pid'), 'sh', '-c', `kill -9 "$(cat ${this.pidFile})"`]);
    // nsenter waits for it, and ends with it.
    await stopProcess(this.machine.path('engine.pid'));
  }

  /** What the kernel keeps of containers that have ended. */
  async removeCgroups(): Promise<void> {
    const root = '/sys/fs/cgroup';
    // Version 1 has a folder for each controller, version 2 has not.
    const parents = ['.', ...readdirSync(root)].map((name) => join(root, name, this.place.cgroup));
    await waitUntil(() => parents.every(isRemoved), 5_000);
  }

  private get pidFile(): string {
    return this.machine.path('exec', 'dockerd.pid');
  }
}

function isRemoved(cgroup: string): boolean {
  if (!existsSync(cgroup)) return true;
  try {
    const below = readdirSync(cgroup, { recursive: true, withFileTypes: true }).filter((at) =>
      at.isDirectory(),
    );
    for (const at of below
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .reverse())
      rmdirSync(at);
    rmdirSync(cgroup);
    return true;
  } catch {
    // A process in it has not quite ended.
    return false;
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

/** The first three numbers of a network for tests of networks (RFC 2544) that no other run on this machine has. */
function freeNetwork(): string {
  const taken = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
  for (;;) {
    const network = `198.18.${randomInt(256)}`;
    if (!taken.some((address) => address.startsWith(`${network}.`))) return network;
  }
}
