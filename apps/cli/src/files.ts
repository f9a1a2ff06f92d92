import { readFileSync } from 'node:fs';
import type { Cli } from './cli.js';
import { CliError } from './errors.js';

/** A file that a person named, as it is. One that cannot be read is wrong usage. */
export function readBytes(cli: Cli, file: string): Buffer {
  try {
    return readFileSync(cli.resolve(file));
  } catch (error) {
    throw CliError.usage(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** All that comes in, to its end. */
export async function readStdin(cli: Cli): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of cli.stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks);
}

export function readText(cli: Cli, file: string): string {
  return readBytes(cli, file).toString('utf8');
}
