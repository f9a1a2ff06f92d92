import type { Usage } from '@berth/contracts';

/** The parts of the engine's statistics of a container that are used here (Docker Engine API, ContainerStats). */
export interface ContainerStats {
  /** When it was read. */
  read: string;
  cpu_stats: { cpu_usage: { total_usage: number } };
  memory_stats: { usage?: number; stats?: { inactive_file?: number; total_inactive_file?: number } };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}

export interface Limits {
  cpu: number | null;
  memory: number | null;
}

const NANOSECONDS = 1e9;
const MILLISECONDS = 1_000;

/** Pure: what a container used between two looks; null where no time has passed. */
export function usageBetween(before: ContainerStats, now: ContainerStats, limits: Limits): Usage | null {
  const seconds = (Date.parse(now.read) - Date.parse(before.read)) / MILLISECONDS;
  if (!(seconds > 0)) return null;
  const rate = (from: number, to: number): number => round(Math.max(0, to - from) / seconds);
  const [old, current] = [trafficOf(before), trafficOf(now)];
  const cpu = (stats: ContainerStats): number => stats.cpu_stats.cpu_usage.total_usage / NANOSECONDS;
  return {
    cpu: rate(cpu(before), cpu(now)),
    cpuLimit: limits.cpu,
    memory: memoryOf(now),
    memoryLimit: limits.memory,
    ...current,
    receivedPerSecond: rate(old.received, current.received),
    sentPerSecond: rate(old.sent, current.sent),
  };
}

/** Cache of files that nobody has open is given back when memory is wanted: as `docker stats` counts. */
function memoryOf({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  // Version 2 of cgroups, and version 1.
  return Math.max(0, usage - (stats.inactive_file ?? stats.total_inactive_file ?? 0));
}

function trafficOf({ networks = {} }: ContainerStats): { received: number; sent: number } {
  const all = Object.values(networks);
  return {
    received: all.reduce((sum, { rx_bytes: bytes }) => sum + bytes, 0),
    sent: all.reduce((sum, { tx_bytes: bytes }) => sum + bytes, 0),
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
