import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, inEnvironment, type Common, type InEnvironment } from '../command.js';
import { projectName } from '../compose-file.js';
import { ExecSession } from '../exec/session.js';
import { Terminal } from '../exec/terminal.js';
import { path } from '../http/path.js';

interface ExecOptions extends Common, InEnvironment {
  instance?: string;
  tty: boolean;
}

const SHELL = ['sh'];

export function execCommand(cli: Cli): Command {
  return inEnvironment(
    command('exec <service> [-- <command> <argument…>]', 'Run a command in an instance of a service', [
      'exec web --env dev',
      'exec web --env dev -- ls -l /srv',
      'exec db --env dev -- pg_dump shop > shop.sql',
      'exec db --env dev --instance 3kq9 -- psql shop < seed.sql',
    ]),
  )
    .argument('<service>')
    .argument('[command...]', 'the command and its arguments (default: a shell, sh)')
    .option('-i, --instance <id>', 'this one, by its id or the beginning of it (default: any that runs)')
    .option('-T, --no-tty', 'give it no terminal, even where there is one')
    .action((service: string, words: string[], options: ExecOptions) => exec(cli, service, words, options));
}

async function exec(cli: Cli, service: string, words: string[], options: ExecOptions): Promise<void> {
  const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
  const terminal = new Terminal(cli);
  const tty = options.tty && terminal.isThere;
  const socket = await cli.api.socket(place + path`/services/${service}/exec`, {
    command: words.length > 0 ? words : SHELL,
    instance: options.instance,
    ...(tty ? { tty, ...terminal.size } : {}),
  });
  const session = new ExecSession(cli, socket);
  const giveBack = tty ? terminal.takeOver((size) => session.say({ type: 'resize', ...size })) : null;
  try {
    cli.exitCode = await session.run();
  } finally {
    giveBack?.();
    // What is typed now is for nobody here.
    cli.stdin.destroy();
  }
}
