import { isAbsolute, join } from 'node:path';
import { resolveTarget, type Target } from './credentials.js';
import type { CliEnvironment } from './env.js';
import { Api } from './http/api.js';
import type { Output } from './output/output.js';
import { printWarning } from './output/problem.js';

/** What every command works with. Nothing is read or connected before a command asks for it. */
export class Cli {
  private connection: Api | null = null;
  /** What the process ends with when nothing went wrong: of `exec`, what the command ended with. */
  exitCode = 0;

  constructor(
    readonly environment: CliEnvironment,
    readonly output: Output,
    readonly stdin: NodeJS.ReadStream,
    readonly folder: string,
  ) {}

  get target(): Target {
    return resolveTarget(this.environment);
  }

  get api(): Api {
    this.connection ??= new Api(this.target, (warning) => printWarning(this.output, warning));
    return this.connection;
  }

  resolve(path: string): string {
    return isAbsolute(path) ? path : join(this.folder, path);
  }

  /** Whether there is a person to ask. */
  get interactive(): boolean {
    return Boolean(this.stdin.isTTY && this.output.stderr.isTTY);
  }

  async readStdin(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }
}
