import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CliError, EXIT } from './errors.js';
import type { CliEnvironment } from './env.js';

const Credentials = z.object({
  url: z.string(),
  token: z.string(),
  registry: z
    .string()
    .nullish()
    .transform((registry) => registry ?? null),
});
/** What `login` stores: where the gateway is, the token, and `host:port` of the registry. */
export type Credentials = z.output<typeof Credentials>;

export const DEFAULT_URL = 'http://127.0.0.1:4400';

export function credentialsPath(environment: CliEnvironment): string {
  return join(environment.configFolder, 'credentials.json');
}

/** The stored credentials; null where there are none. A file that others can read is refused, as ssh does. */
export function readCredentials(path: string): Credentials | null {
  let text: string;
  try {
    const mode = statSync(path).mode & 0o777;
    if (mode & 0o077) {
      throw new CliError(
        'CREDENTIALS_EXPOSED',
        `${path} holds a token and its mode is 0${mode.toString(8)}: others can read it`,
        EXIT.unauthenticated,
        `Run \`chmod 600 ${path}\`; if others use this machine, revoke the token (\`berth token revoke\`).`,
      );
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return Credentials.parse(JSON.parse(text));
  } catch {
    throw new CliError(
      'NOT_LOGGED_IN',
      `${path} is not a credentials file`,
      EXIT.unauthenticated,
      'Run `berth login` to write it anew.',
    );
  }
}

/** Written beside and renamed, so that a reader never sees half of it, and never with a mode wider than 0600. */
export function writeCredentials(path: string, folder: string, credentials: Credentials): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

/** Where to go and as whom: the environment first, then the file. `token` is null when neither has one. */
export interface Target {
  url: string;
  token: string | null;
  registry: string | null;
}

export function resolveTarget(environment: CliEnvironment): Target {
  // With both overridden the file does not matter, not even a broken one.
  const stored = environment.url && environment.token ? null : readCredentials(credentialsPath(environment));
  // A stored token belongs to the stored URL: it is not sent to another one.
  const storedToken =
    stored && (!environment.url || sameUrl(environment.url, stored.url)) ? stored.token : null;
  return {
    url: environment.url ?? stored?.url ?? DEFAULT_URL,
    token: environment.token ?? storedToken,
    registry: stored?.registry ?? null,
  };
}

function sameUrl(left: string, right: string): boolean {
  return left.replace(/\/+$/, '') === right.replace(/\/+$/, '');
}
