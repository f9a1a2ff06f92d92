import type { Place, Problems } from './problems.js';
import type { PortSpec } from './spec.js';
import { asList, asText, Section } from './section.js';
import type { ComposeNode, ScalarNode } from './tree.js';

const MAX_PORTS = 200;
// [HOST:]CONTAINER[/PROTOCOL], where HOST is [IP:](PORT|RANGE|) and an IPv6 address stands in brackets.
const SHORT =
  /^(?:(?:(?<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]|[^:/]*[^:\d/-][^:/]*):(?=.*:))?(?<published>[\d-]*):)?(?<target>\d+(?:-\d+)?)(?:\/(?<protocol>\w+))?$/;

/** `ports`, short and long (Compose Specification, 05-services.md, "ports"), one entry a port. */
export function readPorts(node: ComposeNode, problems: Problems): PortSpec[] {
  const ports: PortSpec[] = [];
  for (const item of asList(node, problems)?.items ?? []) {
    const read =
      item.kind === 'map' ? longPort(new Section(item, problems), problems) : shortPort(item, problems);
    for (const port of read) addPort(ports, port, item, problems);
  }
  return ports.sort(
    (a, b) =>
      a.target - b.target || a.protocol.localeCompare(b.protocol) || (a.published ?? 0) - (b.published ?? 0),
  );
}

function addPort(ports: PortSpec[], port: PortSpec, at: Place, problems: Problems): void {
  const { target, published, protocol } = port;
  if (ports.some((p) => p.target === target && p.protocol === protocol && p.published === published)) return;
  if (published !== null && ports.some((p) => p.published === published && p.protocol === protocol))
    problems.invalid(at, `the host's port ${published}/${protocol} is published twice`);
  else if (ports.length === MAX_PORTS) problems.unsupported(at, `more than ${MAX_PORTS} ports`);
  if (ports.length < MAX_PORTS) ports.push(port);
}

function shortPort(node: ComposeNode, problems: Problems): PortSpec[] {
  const text = asText(node, problems);
  if (text === undefined) return [];
  const groups = SHORT.exec(text)?.groups;
  const target = groups && parseRange(groups.target);
  const published = groups?.published ? parseRange(groups.published) : null;
  if (!groups || !target || (groups.published && !published)) {
    problems.invalid(
      node,
      `"${text.slice(0, 80)}" is no port: write "[host:]container[/protocol]", ports 1 to 65535`,
    );
    return [];
  }
  if (groups.ip !== undefined && !isAnyAddress(groups.ip)) {
    problems.unsupported(node, addressHint(groups.ip));
    return [];
  }
  const protocol = protocolOf(groups.protocol, node, problems);
  if (!protocol) return [];
  const count = target[1] - target[0] + 1;
  if (published && published[1] - published[0] + 1 !== count) {
    problems.unsupported(node, 'a range of host ports must be as long as the range of container ports');
    return [];
  }
  if (count > MAX_PORTS) {
    problems.unsupported(node, `more than ${MAX_PORTS} ports`);
    return [];
  }
  return Array.from({ length: count }, (_, index) => ({
    target: target[0] + index,
    published: published ? published[0] + index : null,
    protocol,
  }));
}

function longPort(section: Section, problems: Problems): PortSpec[] {
  const target = section.integer('target', 1, 65_535);
  const publishedNode = section.take('published');
  let published: number | null = null;
  if (publishedNode) {
    const range = parseRange((publishedNode as ScalarNode).text ?? '');
    if (!range) problems.invalid(publishedNode, 'must be a port from 1 to 65535');
    else if (range[0] !== range[1])
      problems.unsupported(publishedNode, 'a range of host ports for one container port');
    else published = range[0];
  }
  const protocol = protocolOf(section.string('protocol'), section.keyPlace('protocol'), problems);
  const mode = section.string('mode');
  if (mode !== undefined && mode !== 'host')
    problems.unsupported(
      section.keyPlace('mode'),
      `"mode: ${mode}" is not supported; ports are published in mode "host"`,
    );
  const ip = section.string('host_ip');
  if (ip !== undefined && !isAnyAddress(ip))
    problems.unsupported(section.keyPlace('host_ip'), addressHint(ip));
  section.finish();
  if (target === undefined && !section.take('target'))
    problems.invalid(section.node, 'a port must have a "target"');
  return target !== undefined && protocol ? [{ target, published, protocol }] : [];
}

/** `expose`: ports that other services may use; one network holds them all, so it tells, and opens nothing. */
export function readExpose(node: ComposeNode, problems: Problems): string[] {
  const exposed = new Set<string>();
  for (const item of asList(node, problems)?.items ?? []) {
    const text = asText(item, problems);
    if (text === undefined) continue;
    const [range, protocol, ...rest] = text.split('/');
    if (!parseRange(range) || rest.length > 0) problems.invalid(item, `"${text.slice(0, 80)}" is no port`);
    else if (protocolOf(protocol, item, problems)) exposed.add(text);
  }
  return [...exposed].sort();
}

function protocolOf(text: string | undefined, at: Place, problems: Problems): 'tcp' | 'udp' | null {
  if (text === undefined || text === 'tcp') return 'tcp';
  if (text === 'udp') return 'udp';
  problems.unsupported(at, `the protocol "${text.slice(0, 20)}" is not supported; "tcp" and "udp" are`);
  return null;
}

function parseRange(text: string): [number, number] | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  return from >= 1 && to <= 65_535 && from <= to ? [from, to] : null;
}

const isAnyAddress = (ip: string): boolean => ['0.0.0.0', '[::]', '::', ''].includes(ip);
const addressHint = (ip: string): string =>
  `publishing on the address ${ip.slice(0, 60)} is not supported: Swarm publishes on all addresses of a node`;
