import { CommanderError } from 'commander';
import { Cli } from './cli.js';
import { readEnvironment } from './env.js';
import { CliError, EXIT } from './errors.js';
import { Output } from './output/output.js';
import { printError } from './output/problem.js';
import { buildProgram } from './program.js';

/** Runs one command line; answers the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  const output = new Output(process.stdout, process.stderr, environment.colorWanted);
  const cli = new Cli(environment, output, process.stdin, process.cwd());
  try {
    await buildProgram(cli).parseAsync(argv, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    printError(output, asCliError(error), isJsonWanted(argv));
    return error instanceof CliError ? error.exitCode : EXIT.failed;
  }
}

/** What stands after `--` belongs to the command of `exec`. */
function isJsonWanted(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  return new CliError('INTERNAL', error instanceof Error ? error.message : String(error), EXIT.failed);
}

// `berth … | head` closes the pipe: that is the end of the work, not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
