/** What the rules have to know of the machine. */
export interface IsolationFacts {
  /** Names the chains and stands in each rule's comment, so that exactly these can be found and removed. */
  installation: string;
  /** IPv4 resolvers of the machine that are not on loopback: guests' name lookups end there. */
  nameServers: string[];
}

/** Where guests may not go: private, carrier-grade NAT and link-local (cloud metadata) ranges (RFC 1918, 6598, 3927). */
const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'];

/** Swarm gives every task an address on this bridge: its way to everything that is not its own overlay network. */
const BRIDGE = 'docker_gwbridge';

/** What runs in a build has its way out here, under the same rules; 15 characters at most (IFNAMSIZ). */
export function buildBridge(installation: string): string {
  return `berth-${installation}`;
}

const ESTABLISHED = '-m conntrack --ctstate ESTABLISHED,RELATED';

/** A rule that jumps from a chain that is not ours into one that is. */
export interface Jump {
  parent: string;
  rule: string;
}

export function chainNames(installation: string): { forward: string; input: string } {
  return { forward: `BERTH-${installation}-FWD`, input: `BERTH-${installation}-IN` };
}

/** The rules that send guests' traffic through our chains, before anything else can accept it. */
export function jumps(installation: string): Jump[] {
  const { forward, input } = chainNames(installation);
  return [BRIDGE, buildBridge(installation)].flatMap((bridge) => [
    { parent: 'DOCKER-USER', rule: `-i ${bridge} ${comment(installation)} -j ${forward}` },
    { parent: 'INPUT', rule: `-i ${bridge} ${comment(installation)} -j ${input}` },
  ]);
}

/**
 * Our chains, for `iptables-restore --noflush`: it makes or replaces both in one step, so that there is no moment without
 * rules. Forwarded traffic to private ranges is dropped, and so is every new connection to the host itself; answers to
 * connections that came in (published ports) pass, as do name lookups.
 */
export function renderChains({ installation, nameServers }: IsolationFacts): string {
  const { forward, input } = chainNames(installation);
  const mark = comment(installation);
  const lookups = nameServers.flatMap((address) =>
    ['udp', 'tcp'].map((protocol) => `-d ${address}/32 -p ${protocol} --dport 53`),
  );
  const allowed = [ESTABLISHED, ...lookups];
  return [
    '*filter',
    `:${forward} - [0:0]`,
    `:${input} - [0:0]`,
    ...allowed.map((match) => `-A ${forward} ${match} ${mark} -j RETURN`),
    ...PRIVATE_RANGES.map((range) => `-A ${forward} -d ${range} ${mark} -j DROP`),
    ...allowed.map((match) => `-A ${input} ${match} ${mark} -j RETURN`),
    `-A ${input} ${mark} -j DROP`,
    'COMMIT',
    '',
  ].join('\n');
}

/** IPv4 resolvers of a resolv.conf(5). Loopback ones are asked by the engine itself, in the host's own network. */
export function outerNameServers(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)]
    .map((match) => match[1] ?? '')
    .filter((address) => !address.startsWith('127.'));
}

function comment(installation: string): string {
  return `-m comment --comment berth-${installation}`;
}
