import { readFileSync } from 'node:fs';

/** What a process holds, in MiB: resident, and proportional (shared pages counted once for all who share them). */
export function memoryOf(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { rss: mebibytes('Rss'), pss: mebibytes('Pss') };
}

/** The most that a process ever held, in MiB (`VmHWM`, proc(5)). */
export function peakMemoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? NaN) / 1024;
}
