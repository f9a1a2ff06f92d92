import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, writeAtomically } from './files.js';

/** What the CLI needs to reach a platform. */
export interface Credentials {
  url: string;
  token: string;
  /** host:port of the registry. */
  registry: string;
}

export function credentialsFile(configFolder: string): string {
  return join(configFolder, 'credentials.json');
}

export function readCredentials(configFolder: string): Credentials | undefined {
  return readJsonFile<Credentials>(credentialsFile(configFolder));
}

/**
 * Stores the CLI's credentials, mode 0600. Credentials of another platform that were there are kept beside it, for a
 * token shown once can't be asked for again; returns where.
 */
export function storeCredentials(configFolder: string, credentials: Credentials): string | undefined {
  const file = credentialsFile(configFolder);
  mkdirSync(configFolder, { recursive: true, mode: 0o700 });
  let kept: string | undefined;
  if (existsSync(file) && readCredentials(configFolder)?.url !== credentials.url) {
    kept = join(configFolder, 'credentials.previous.json');
    renameSync(file, kept);
  }
  writeAtomically(file, JSON.stringify(credentials, undefined, 2), 0o600);
  return kept;
}
