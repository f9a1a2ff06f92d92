import { LogLine, page } from '@berth/contracts';
import { z } from 'zod';
import { followLogs } from '../logs/follow.js';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  collect,
  command,
  inEnvironment,
  moment,
  whole,
  type Common,
  type InEnvironment,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { path } from '../http/path.js';
import { linePrinter } from '../logs/print.js';

interface LogsOptions extends Common, InEnvironment {
  follow?: boolean;
  tail: number;
  since?: string;
  service?: string[];
  timestamps?: boolean;
}

const Lost = z.object({ count: z.int() });

export function logsCommand(cli: Cli): Command {
  return inEnvironment(
    command('logs [service]', 'Print what services wrote', [
      'logs --env dev',
      'logs --env dev --service web --service worker --timestamps',
      'logs web -f --env dev --tail 20',
      'logs web --env dev --since 15m --json',
    ]),
  )
    .argument('[service]', 'this one only (default: all of the environment)')
    .option('-s, --service <name>', 'this one; can be given several times', collect)
    .option('-f, --follow', 'go on as they write, through rollouts; with --json one JSON object a line')
    .option('-n, --tail <lines>', 'lines of each service at most', whole(0, 10_000), 100)
    .option('--since <time>', 'from then on: 15m, 2h, or a timestamp', moment)
    .option('-t, --timestamps', 'when each line was written')
    .action((service: string | undefined, options: LogsOptions) => logs(cli, service, options));
}

async function logs(cli: Cli, one: string | undefined, options: LogsOptions): Promise<void> {
  const environment = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
  const services = [...new Set([...(one ? [one] : []), ...(options.service ?? [])])];
  const alone = services.length === 1;
  const place = alone ? environment + path`/services/${services[0]}/logs` : `${environment}/logs`;
  const query = {
    tail: options.tail,
    since: options.since,
    ...(alone || services.length === 0 ? {} : { service: services }),
  };
  const { json = false, timestamps = false } = options;
  const print = linePrinter(cli.output, { json, timestamps, prefixed: !alone });
  if (options.follow) return followLogs(cli.api, place, query, print, (data) => tellOfLost(cli, data));
  const found = await cli.api.get(place, page(LogLine), query);
  if (json) return cli.output.json({ items: found.items, nextCursor: null });
  found.items.forEach(print);
}

function tellOfLost(cli: Cli, data: string): void {
  const lost = Lost.safeParse(JSON.parse(data));
  if (lost.success)
    cli.output.note(`(${lost.data.count} lines came faster than they were read, and are left out)`);
}
