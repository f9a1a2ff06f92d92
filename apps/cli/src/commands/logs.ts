import { LogLine, page, Service } from '@berth/contracts';
import { followLogs } from '../logs/follow.js';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, inEnvironment, moment, whole, type Common, type InEnvironment } from '../command.js';
import { projectName } from '../compose-file.js';
import { path, type Query } from '../http/path.js';
import type { Color } from '../output/output.js';
import { printable } from '../output/text.js';

interface LogsOptions extends Common, InEnvironment {
  follow?: boolean;
  tail: number;
  since?: string;
}

const COLORS: readonly Color[] = ['cyan', 'green', 'yellow', 'bold'];

export function logsCommand(cli: Cli): Command {
  return inEnvironment(
    command('logs [service]', 'Print what services wrote', [
      'logs --env dev',
      'logs web -f --env dev --tail 20',
      'logs web --env dev --since 15m --json',
    ]),
  )
    .argument('[service]', 'this one only (default: all of the environment)')
    .option('-f, --follow', 'go on as they write; with --json one JSON object a line')
    .option('-n, --tail <lines>', 'lines of each service at most', whole(0, 10_000), 100)
    .option('--since <time>', 'from then on: 15m, 2h, or a timestamp', moment)
    .action((service: string | undefined, options: LogsOptions) => logs(cli, service, options));
}

async function logs(cli: Cli, service: string | undefined, options: LogsOptions): Promise<void> {
  const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
  const names = service
    ? [service]
    : (await cli.api.get(`${place}/services`, page(Service))).items.map(({ name }) => name);
  const query = { tail: options.tail, since: options.since };
  const paths = names.map((name) => place + path`/services/${name}/logs`);
  if (!names.length) cli.output.note('Nothing runs there.');
  const print = linePrinter(cli, names, options.json ?? false);
  if (options.follow) await Promise.all(paths.map((each) => followLogs(cli.api, each, query, print)));
  else await printPast(cli, paths, query, print, options.json ?? false);
}

async function printPast(
  cli: Cli,
  paths: readonly string[],
  query: Query,
  print: (line: LogLine) => void,
  json: boolean,
): Promise<void> {
  const found = await Promise.all(paths.map((each) => cli.api.get(each, page(LogLine), query)));
  const lines = found.flatMap(({ items }) => items);
  // Each service's lines are in order already, and sorting is stable: this merges them.
  if (paths.length > 1) lines.sort((a, b) => (a.time ?? '').localeCompare(b.time ?? ''));
  if (json) return cli.output.json({ items: lines, nextCursor: null });
  lines.forEach(print);
}

function linePrinter(cli: Cli, names: readonly string[], json: boolean): (line: LogLine) => void {
  const { output } = cli;
  if (json) return (line) => output.json(line);
  const width = Math.max(0, ...names.map((name) => name.length));
  return ({ service, line }) => {
    const color = COLORS[Math.max(0, names.indexOf(service)) % COLORS.length];
    const prefix = names.length > 1 ? `${output.paint(color, service.padEnd(width))} | ` : '';
    // A pipe gets what was written; a terminal is not to be driven by it.
    output.line(prefix + (output.stdout.isTTY ? printable(line) : line));
  };
}
