/** What the plan has to know of the machine. Gathered by `gatherFacts`; plain data, so that the plan can be tested. */
export interface MachineFacts {
  linux: boolean;
  /** Debian, Ubuntu or a relative: apt-get is there and packages have Debian's names. */
  debianLike: boolean;
  /** For people: "Debian GNU/Linux 12 (bookworm)". */
  distribution: string;
  root: boolean;
  /** Those of the commands in `COMMAND_PACKAGES` that are there. */
  commands: CommandName[];
  /** A container engine answers. */
  engine: boolean;
  /** Where it should answer; another address than the usual is the user's business. */
  defaultDockerHost: boolean;
  /** The engine is a process of this machine. */
  localEngine: boolean;
  /** A Postgres can be run, or one is named. */
  postgres: boolean;
  /** The system user that data stores run as, which only root needs. */
  account: boolean;
  /** Root certificates are installed. */
  certificates: boolean;
  /** A busybox to make images from is at hand. */
  busybox: boolean;
  /** OpenStack Swift's servers can be run, which speak the S3 API. */
  objectStorage: boolean;
  /** The packet filter is to keep guests from the host. */
  isolation: boolean;
}

/** Debian's package for each command. */
export const COMMAND_PACKAGES = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  'nats-server': 'nats-server',
  iptables: 'iptables',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  caddy: 'caddy',
} as const;

export type CommandName = keyof typeof COMMAND_PACKAGES;

/** What the machine is made ready for. */
export type Purpose = 'platform' | 'sample' | 'tests';

/** One thing to put in place, with the reason that is told before it is done. */
export type Step =
  | { kind: 'package'; name: string; reason: string }
  | { kind: 'account'; name: string; reason: string }
  | { kind: 'busybox'; name: string; reason: string };

export interface Plan {
  steps: Step[];
  /** Why the steps can't be taken here, with what to do instead; empty when they can. */
  obstacles: string[];
}

/** Decides what is missing for a purpose, and whether it can be put in place here. Changes nothing. */
export function planPrerequisites(facts: MachineFacts, purposes: Purpose[]): Plan {
  const steps = [...packageSteps(facts, purposes), ...otherSteps(facts, purposes)];
  return { steps, obstacles: obstacles(facts, steps) };
}

function packageSteps(facts: MachineFacts, purposes: Purpose[]): Step[] {
  const reasons = new Map<string, string>();
  const need = (command: CommandName, reason: string) => {
    if (!facts.commands.includes(command)) reasons.set(COMMAND_PACKAGES[command], reason);
  };
  need('nats-server', 'carries requests and events between the services');
  if (purposes.includes('sample') || purposes.includes('tests')) need('docker', 'builds and pushes images');
  need('docker', 'the client of the container engine');
  if (!facts.engine && facts.defaultDockerHost) need('dockerd', 'the container engine: none is running');
  if (facts.localEngine) need('caddy', 'the way in to services, in a container');
  if (facts.isolation && facts.localEngine) need('iptables', "keeps containers from the host's networks");
  if (purposes.includes('tests')) {
    need('docker-registry', 'stands for Docker Hub in tests');
    need('skopeo', 'a second registry client, for tests');
    if (!facts.objectStorage) reasons.set('python3-swift', 'an object storage (OpenStack Swift), for tests');
  }
  if (!facts.certificates) reasons.set('ca-certificates', 'to check the certificates of upstream registries');
  return [...reasons].map(([name, reason]) => ({ kind: 'package', name, reason }));
}

function otherSteps(facts: MachineFacts, purposes: Purpose[]): Step[] {
  const steps: Step[] = [];
  if (facts.root && !facts.account) {
    steps.push({
      kind: 'account',
      name: 'berth',
      reason: 'system user to run Postgres and NATS as, for Postgres refuses root',
    });
  }
  if (!facts.busybox && (purposes.includes('sample') || purposes.includes('tests'))) {
    const reason =
      'a web server and shell for images made on the spot; unpacked into the state folder, not installed';
    steps.push({ kind: 'busybox', name: 'busybox', reason });
  }
  return steps;
}

function obstacles(facts: MachineFacts, steps: Step[]): string[] {
  if (!facts.linux) return ['Berth runs on Linux. Use a Linux machine, or a virtual one.'];
  const found: string[] = [];
  const packages = steps.filter((step) => step.kind === 'package').map((step) => step.name);
  if (packages.length > 0 && !facts.debianLike) {
    found.push(
      `${facts.distribution} is not Debian or Ubuntu, so nothing can be installed for you. Install, as your distribution names them: ${packages.join(', ')}.`,
    );
  } else if (packages.length > 0 && !facts.root) {
    found.push(`Only root can install packages. Run: sudo apt-get install ${packages.join(' ')}`);
  }
  if (steps.some((step) => step.kind === 'busybox') && !facts.debianLike) {
    found.push('There is no busybox on the PATH. Install it: images for the sample are made from it.');
  }
  if (!facts.engine && !facts.defaultDockerHost) {
    found.push('No container engine answers at DOCKER_HOST. Start it, or unset DOCKER_HOST.');
  } else if (!facts.engine && !facts.root) {
    found.push('No container engine answers, and only root can start one. Run: sudo systemctl start docker');
  }
  if (facts.isolation && facts.localEngine && !facts.root) {
    found.push(
      "Only root can set the packet filter rules that keep containers from the host's networks. Run as root, or do without them: BERTH_ISOLATION=off",
    );
  }
  if (!facts.postgres) {
    found.push(
      'There is no Postgres: npm has none for this machine. Install postgresql, or name one: BERTH_POSTGRES_URL=postgres://admin:…@host/berth',
    );
  }
  return found;
}
