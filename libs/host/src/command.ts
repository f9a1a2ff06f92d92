import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { commandFolders } from './env.js';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** The whole environment; the caller's own when left out. */
  env?: Record<string, string>;
  cwd?: string;
  /** Text for standard input. */
  input?: string;
  uid?: number;
  gid?: number;
  /** Receives both outputs as they come, for long-running installations. */
  onOutput?: (chunk: string) => void;
}

/** Where a command lives, or undefined. Looks where a plain user's PATH does not: /usr/sbin and its like. */
export function findCommand(name: string): string | undefined {
  for (const folder of commandFolders()) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here: look on
    }
  }
  return undefined;
}

/** Runs a command to its end, whatever its exit code. Rejects only when it can't be started. */
export function tryCommand(
  file: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input, onOutput, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(findCommand(file) ?? file, args, {
      ...spawnOptions,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      onOutput?.(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      onOutput?.(chunk);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr }));
    // A command that does not read its input closes the pipe: its exit code tells, not EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/** Runs a command and returns its standard output. Rejects, with its last words, when it fails. */
export async function runCommand(
  file: string,
  args: string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await tryCommand(file, args, options);
  if (result.code !== 0) {
    const words = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-8).join('\n');
    throw new Error(`${file} ${args.join(' ')} ended with exit code ${result.code}:\n${words}`);
  }
  return result.stdout;
}
