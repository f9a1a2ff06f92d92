import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface CliRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  stdin?: string;
  cwd?: string;
  /** Sends SIGINT once stdout says this. */
  interruptAfter?: RegExp;
}

const MAIN = join(__dirname, '../dist/main.js');

/** The command as people run it: a process of its own, with nothing but the given environment. */
export function runCli(
  args: readonly string[],
  { env = {}, stdin = '', cwd, interruptAfter }: CliOptions = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { HOME: '/nonexistent', ...env }, cwd });
    const run: CliRun = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      run.stdout += text;
      if (interruptAfter?.test(run.stdout)) child.kill('SIGINT');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...run, code }));
    // A command that reads nothing may be gone before it is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}
