import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Gets a URL so many times at once, by curl, and throws it away. Answers the seconds of each, the slowest last. */
export async function download(
  url: string,
  headers: Readonly<Record<string, string>>,
  times = 1,
): Promise<number[]> {
  const args = [
    '-sS',
    '--no-progress-meter',
    '--fail',
    '--location',
    '--parallel',
    '--parallel-immediate',
    '--parallel-max',
    String(times),
  ];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  args.push('-w', '%{time_total}\n');
  for (let n = 0; n < times; n += 1) args.push('-o', '/dev/null', url);
  const seconds = (await curl(args)).trim().split('\n').map(Number);
  if (seconds.length !== times) throw new Error(`${seconds.length} of ${times} came`);
  return seconds.sort((left, right) => left - right);
}

/** Puts a file to a URL. Answers the seconds. */
export async function upload(
  url: string,
  headers: Readonly<Record<string, string>>,
  file: string,
): Promise<number> {
  const args = ['-sS', '--fail', '-X', 'PUT', '-T', file, '-o', '/dev/null', '-w', '%{time_total}'];
  for (const [name, value] of Object.entries({ 'content-type': 'application/octet-stream', ...headers }))
    args.push('-H', `${name}: ${value}`);
  return Number(await curl([...args, url]));
}

async function curl(args: string[]): Promise<string> {
  const child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>]);
  if (code !== 0) throw new Error(`curl ended with ${code}`);
  return said;
}
