import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Cli } from './cli.js';

/** Asks on stderr, so that stdout stays the result. */
export async function ask(cli: Cli, question: string): Promise<string> {
  const reader = createInterface({ input: cli.stdin, output: cli.output.stderr });
  try {
    return (await reader.question(question)).trim();
  } finally {
    reader.close();
  }
}

/** As `ask`, without showing what is typed; it is answered as it was typed. */
export async function askSecret(cli: Cli, question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: cli.stdin, output: silent, terminal: true });
  cli.output.stderr.write(question);
  try {
    return await reader.question('');
  } finally {
    reader.close();
    cli.output.stderr.write('\n');
  }
}

/** True for `y` or `yes`; whoever cannot be asked has consented by calling. */
export async function confirmed(cli: Cli, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes || !cli.interactive) return true;
  return /^y(es)?$/i.test(await ask(cli, `${question} [y/N] `));
}
