import { readFileSync } from 'node:fs';
import type { Cli } from '../cli.js';
import { CliError } from '../errors.js';

/** The text of a policy file; `-` is standard input. */
export async function readPolicy(cli: Cli, file: string): Promise<string> {
  if (file === '-') return cli.readStdin();
  try {
    return readFileSync(cli.resolve(file), 'utf8');
  } catch (error) {
    throw CliError.usage(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** The id of Cedar's `@id("…")` annotation, outside of comments. */
export function policyId(text: string): string {
  const ids = [...text.replace(/^\s*\/\/.*$/gm, '').matchAll(/@id\s*\(\s*"([^"]*)"\s*\)/g)].map(
    ([, id]) => id,
  );
  if (ids.length === 1) return ids[0];
  throw CliError.usage(
    ids.length
      ? `one policy at a time; there are ${ids.length}: ${ids.join(', ')}`
      : 'the policy has no @id("…")',
    ids.length ? 'Put each in a file of its own.' : 'Add @id("a-name") before it, or give --id.',
  );
}
