import { page, parseBytes, Quota, QuotaScope } from '@berth/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  family,
  paged,
  pageQuery,
  tellOfMore,
  whole,
  type Common,
  type Paging,
} from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';

interface SetOptions extends Common {
  cpu?: number;
  memory?: string;
  instances?: number;
  storage?: string;
}

const WHOSE = 'teams/<team>, users/<user>, projects/<project> or environments/<project>.<env>';

export function quotaCommands(cli: Cli): Command {
  return family('quota', 'Limits, and what is used of them', [
    paged(command('show [scope/name]', 'Show limits and use', ['quota show', 'quota show teams/acme']))
      .argument('[scope/name]', `${WHOSE} (default: all you may see)`)
      .action((whose: string | undefined, options: Common & Paging) => show(cli, whose, options)),
    command('set <scope/name>', 'Set limits; a dimension that is left out has none', [
      'quota set teams/acme --cpu 4 --memory 8GiB --instances 5',
      'quota set teams/acme --storage 20GiB',
      'quota set environments/shop.dev --instances 2',
    ])
      .argument('<scope/name>', WHOSE)
      .option('--cpu <cores>', 'cores, such as 0.5 or 4', cores)
      .option('--memory <size>', 'such as 512MiB or 8GiB', size)
      .option('--instances <n>', 'running containers', whole(0, 1_000_000))
      .option('--storage <size>', "of a team: what its images may take in Berth's registry", size)
      .action((whose: string, options: SetOptions) => set(cli, whose, options)),
  ]);
}

function cores(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d{1,3})?$/.test(text)) return value;
  throw new InvalidArgumentError('It must be a number of cores, to a thousandth.');
}

function size(text: string): string {
  if (parseBytes(text) !== null) return text;
  throw new InvalidArgumentError('It must be a size such as 512MiB or 8GiB.');
}

function pathOf(whose: string): string {
  const [scope, name, ...rest] = whose.split('/');
  if (!QuotaScope.safeParse(scope).success || !name || rest.length) {
    throw CliError.usage(`"${whose}" names no quota`, `It must be ${WHOSE}.`);
  }
  return path`/v1/quotas/${scope}/${name}`;
}

async function show(cli: Cli, whose: string | undefined, options: Common & Paging): Promise<void> {
  if (!whose) {
    const quotas = await cli.api.get('/v1/quotas', page(Quota), pageQuery(options));
    if (options.json) return cli.output.json(quotas);
    showQuotas(cli, quotas.items);
    return tellOfMore(cli, quotas);
  }
  const quota = await cli.api.get(pathOf(whose), Quota);
  if (options.json) return cli.output.json(quota);
  showQuotas(cli, [quota]);
}

async function set(cli: Cli, whose: string, options: SetOptions): Promise<void> {
  const { cpu, memory, instances, storage } = options;
  const quota = await cli.api.put(pathOf(whose), Quota, { limits: { cpu, memory, instances, storage } });
  if (options.json) return cli.output.json(quota);
  showQuotas(cli, [quota]);
}

function showQuotas(cli: Cli, quotas: readonly Quota[]): void {
  const of = (used: string | number, limit: string | number | undefined): string =>
    `${used} of ${limit ?? 'no limit'}`;
  cli.output.table(
    quotas,
    [
      ['QUOTA', ({ scope, name }) => `${scope}/${name}`],
      ['CPU', ({ used, limits }) => of(used.cpu, limits.cpu)],
      ['MEMORY', ({ used, limits }) => of(used.memory, limits.memory)],
      ['INSTANCES', ({ used, limits }) => of(used.instances, limits.instances)],
      [
        'STORAGE',
        ({ used, limits }) =>
          used.storage === undefined && limits.storage === undefined
            ? '-'
            : of(used.storage ?? 'unknown', limits.storage),
      ],
      ['COST', ({ cost }) => (cost ? `${cost.perMonth.toFixed(2)} ${cost.currency} a month` : '-')],
    ],
    'No limits are set.',
  );
}
