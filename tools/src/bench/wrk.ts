import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';

export interface Load {
  perSecond: number;
  bytesPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const FACTORS: Record<string, number> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };
const BYTES: Record<string, number> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

export interface LoadOptions {
  connections: number;
  seconds: number;
  headers?: Readonly<Record<string, string>>;
}

/** Asks for a URL as fast as it is answered, with one thread of Debian's wrk. Throws where an answer is no 2xx. */
export async function wrk(url: string, { connections, seconds, headers = {} }: LoadOptions): Promise<Load> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '30s'];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  const child = spawn('wrk', [...args, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  const text = (await Promise.race([buffer(child.stdout), failed])).toString();
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`not all of ${url} was answered:\n${text}`);
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    bytesPerSecond: amount(/Transfer\/sec:\s+([\d.]+)(\w+)/.exec(text), BYTES),
    p50: amount(/50%\s+([\d.]+)(\w+)/.exec(text), FACTORS),
    p99: amount(/99%\s+([\d.]+)(\w+)/.exec(text), FACTORS),
  };
}

function amount(match: RegExpExecArray | null, factors: Record<string, number>): number {
  return match ? Number(match[1]) * factors[match[2]] : NaN;
}
