import { readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second, on every machine that Node runs on. */
const MS_PER_TICK = 10;

/** What a process has used of the processors so far, as user and as system, in milliseconds. */
export function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything, in parentheses: utime and stime are the 14th and 15th field of the line.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
