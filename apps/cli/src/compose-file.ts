import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Name } from '@berth/contracts';
import { parse } from 'yaml';
import type { Cli } from './cli.js';
import { CliError } from './errors.js';

/** In the order of the Compose Specification, "Compose file". */
const DEFAULT_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

export interface ComposeFile {
  /** As given or found; `-` for standard input. */
  path: string;
  text: string;
}

/** The Compose file given with `-f`, from standard input for `-`, or the one in this folder. */
export async function readComposeFile(cli: Cli, given: string | undefined): Promise<ComposeFile> {
  if (given === '-') return { path: '-', text: await cli.readStdin() };
  const path = given ?? findComposeFile(cli.folder);
  if (!path) {
    throw CliError.usage(
      'there is no compose.yaml here',
      'Name one: `berth deploy -f compose.yaml --env dev`.',
    );
  }
  try {
    return { path, text: readFileSync(cli.resolve(path), 'utf8') };
  } catch (error) {
    throw CliError.usage(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function findComposeFile(folder: string): string | null {
  return DEFAULT_NAMES.find((name) => existsSync(join(folder, name))) ?? null;
}

/** `--project`, else the top-level `name` of the Compose file, else this folder's name if that is a DNS label. */
export function projectName(cli: Cli, given: string | undefined, file?: ComposeFile): string {
  if (given) return given;
  const found = findComposeFile(cli.folder);
  const text = file?.text ?? (found && readFileSync(join(cli.folder, found), 'utf8'));
  const named = text ? composeName(text) : null;
  const name = named ?? basename(cli.folder);
  if (Name.safeParse(name).success) return name;
  throw CliError.usage(
    `cannot tell the project: "${name}" is no DNS label`,
    'Say which: --project <name>, or a top-level `name:` in the Compose file.',
  );
}

/** The top-level `name`; null where there is none or the file cannot be read: the gateway says what is wrong with it. */
function composeName(text: string): string | null {
  try {
    const document: unknown = parse(text, { logLevel: 'silent' });
    const name = (document as { name?: unknown } | null)?.name;
    return typeof name === 'string' ? name : null;
  } catch {
    return null;
  }
}
