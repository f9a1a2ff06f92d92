import { PolicySimulation, type SimulatedEffect } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { collect, command, moment, whole, type Common } from '../command.js';
import { CliError } from '../errors.js';
import type { Color } from '../output/output.js';
import { ago } from '../output/text.js';
import { type Bound, bindingsOf, bound } from './policy-bindings.js';
import { policyId, readPolicy } from './policy-text.js';

interface SimulateOptions extends Common, Bound {
  file?: string[];
  id?: string;
  remove?: string[];
  since?: string;
  limit: number;
}

const COLORS: Record<SimulatedEffect, Color> = { denied: 'red', allowed: 'green', warned: 'yellow' };

export function simulateCommand(cli: Cli): Command {
  return bound(
    command('simulate', 'Show what a change of policies would have done to past decisions', [
      'policy simulate -f no-latest.cedar',
      'policy simulate -f no-latest.cedar --scope environments/shop.prod --since 30d',
      'policy simulate --id no-latest --mode deny',
      'policy simulate --remove no-low-ports',
    ]),
  )
    .option('-f, --file <path>', 'a policy to apply; may be repeated', collect)
    .option('--id <id>', 'a policy that there is, to be bound otherwise')
    .option('--remove <id>', 'a policy to remove; may be repeated', collect)
    .option('--since <time>', 'decisions from then on, e.g. 24h or a time (default: 7d)', moment)
    .option('--limit <n>', 'decisions at most, the newest first', whole(1, 200_000), 100_000)
    .action((options: SimulateOptions) => simulate(cli, options));
}

async function simulate(cli: Cli, options: SimulateOptions): Promise<void> {
  const { since, limit } = options;
  const body = { changes: await changesOf(cli, options), since, limit };
  const simulation = await cli.api.post('/v1/policies/simulations', PolicySimulation, body);
  if (options.json) return cli.output.json(simulation);
  tell(cli, simulation);
}

async function changesOf(cli: Cli, options: SimulateOptions): Promise<object[]> {
  const { file = [], id, remove = [] } = options;
  const bindings = bindingsOf(options);
  const texts = await Promise.all(file.map((name) => readPolicy(cli, name)));
  const changes = [
    ...texts.map((text) => ({ id: policyId(text), text, bindings })),
    ...(id === undefined ? [] : [{ id, bindings }]),
    ...remove.map((one) => ({ id: one, text: null })),
  ];
  if (changes.length === 0) throw CliError.usage('no change is named', 'Give --file, --id or --remove.');
  return changes;
}

function tell(cli: Cli, { since, replayed, skipped, cut, impacts, left, ...counts }: PolicySimulation): void {
  const { output } = cli;
  output.table(
    impacts,
    [
      ['EFFECT', ({ effect }) => output.paint(COLORS[effect], effect)],
      ['WHO', ({ principal }) => principal],
      ['ACTION', ({ action, hook }) => (hook === 'before' ? action : `${action} (after)`)],
      ['RESOURCE', ({ resource }) => `${resource.type} ${resource.id}`],
      ['TIMES', ({ count }) => count],
      ['LAST', ({ lastAt }) => ago(lastAt)],
      ['WHY', ({ policies }) => policies.map(({ id, message }) => `${id}: ${message}`).join('; ')],
    ],
    'Nothing would have been decided otherwise.',
  );
  if (left > 0) output.note(`${left} more kinds of impact are not listed.`);
  output.note(
    `${replayed} decisions since ${since} taken again: ${counts.denied} more denied, ${counts.allowed} more allowed, ` +
      `${counts.warned} more warned of.` +
      (skipped > 0 ? ` ${skipped} could not be.` : '') +
      (cut ? ' There are older ones: --limit.' : ''),
  );
}
