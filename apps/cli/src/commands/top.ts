import { InstanceStats, page, Problem, type Usage } from '@berth/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Cli } from '../cli.js';
import { command, inEnvironment, type Common, type InEnvironment } from '../command.js';
import { projectName } from '../compose-file.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';
import type { Column } from '../output/table.js';
import { shortBytes } from '../output/text.js';

interface TopOptions extends Common, InEnvironment {
  once?: boolean;
}

const Look = z.object({ items: z.array(InstanceStats) });
/** Cursor to the corner, and nothing below it. */
const CLEAR = '\u001b[H\u001b[J';

export function topCommand(cli: Cli): Command {
  return inEnvironment(
    command('top [service]', 'Show what each instance uses: cpu, memory, network', [
      'top --env dev',
      'top web --env dev --once',
      'top --env dev --json',
    ]),
  )
    .argument('[service]', 'this one only (default: all of the environment)')
    .option('--once', 'print it once; so it is with --json, and where there is no terminal')
    .action((service: string | undefined, options: TopOptions) => top(cli, service, options));
}

async function top(cli: Cli, service: string | undefined, options: TopOptions): Promise<void> {
  const project = projectName(cli, options.project);
  const place = path`/v1/projects/${project}/environments/${options.env}/stats`;
  const empty = `Nothing runs in ${project}.${options.env}.`;
  if (options.json || options.once || !cli.output.stdout.isTTY) {
    const found = await cli.api.get(place, page(InstanceStats), { service });
    if (options.json) return cli.output.json(found);
    return cli.output.table(found.items, COLUMNS, empty);
  }
  for await (const { event, data } of cli.api.events(place, { service, follow: true })) {
    if (event === 'error') throw CliError.fromProblem(Problem.parse(JSON.parse(data)));
    if (event !== 'stats') continue;
    cli.output.stdout.write(CLEAR);
    cli.output.table(Look.parse(JSON.parse(data)).items, COLUMNS, empty);
  }
  throw new CliError('UNREACHABLE', 'the gateway ended the stream; start again', EXIT.unavailable);
}

const COLUMNS: readonly Column<InstanceStats>[] = [
  ['SERVICE', ({ service }) => service],
  ['INSTANCE', ({ instance }) => instance.slice(0, 12)],
  ['CPU', of(({ cpu, cpuLimit }) => share(cpu, cpuLimit, (cores) => cores.toFixed(2)))],
  ['MEMORY', of(({ memory, memoryLimit }) => share(memory, memoryLimit, shortBytes))],
  ['RECEIVED', of(({ received, receivedPerSecond }) => traffic(received, receivedPerSecond))],
  ['SENT', of(({ sent, sentPerSecond }) => traffic(sent, sentPerSecond))],
];

function of(cell: (usage: Usage) => string): (stats: InstanceStats) => string {
  return ({ usage }) => (usage ? cell(usage) : 'on another node');
}

/** `0.25 of 0.50`. */
function share(used: number, limit: number | null, say: (amount: number) => string): string {
  return limit === null ? say(used) : `${say(used)} of ${say(limit)}`;
}

function traffic(total: number, perSecond: number): string {
  return `${shortBytes(total)} (${shortBytes(perSecond)}/s)`;
}
