import { EnvironmentReview, type ReviewFinding } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, type Common } from '../command.js';
import type { Color } from '../output/output.js';
import { ago } from '../output/text.js';

const COLORS: Record<ReviewFinding['effect'], Color> = { denied: 'red', warned: 'yellow' };
/** Every container of a page is looked at before it is answered. */
const PAGE = 50;

export function reviewCommand(cli: Cli): Command {
  return command('review', 'Show what runs now that policy would deny today', [
    'policy review',
    'policy review --project shop',
    'policy review --json',
  ])
    .option('--project <name>', 'of this project (default: all that you may see)')
    .action((options: Common & { project?: string }) => review(cli, options));
}

async function review(cli: Cli, { json, project }: Common & { project?: string }): Promise<void> {
  const reviews = await cli.api.all('/v1/reviews', EnvironmentReview, { limit: PAGE, project });
  if (json) return cli.output.json({ items: reviews });
  const { output } = cli;
  const rows = reviews.flatMap((of) => of.findings.map((finding) => ({ of, finding })));
  output.table(
    rows,
    [
      ['EFFECT', ({ finding: { effect } }) => output.paint(COLORS[effect], effect)],
      ['ENVIRONMENT', ({ of }) => `${of.project}.${of.environment}`],
      ['SERVICE', ({ finding: { service } }) => service ?? '(all)'],
      ['SEEN', ({ finding: { hook } }) => (hook === 'before' ? 'as made' : 'as it runs')],
      ['DEPLOYED', ({ of }) => `${of.deployedBy}, ${ago(of.deployedAt)}`],
      ['WHY', ({ finding }) => finding.policies.map(({ id, message }) => `${id}: ${message}`).join('; ')],
    ],
    'Policy has nothing against what runs.',
  );
  const hit = new Set(rows.map(({ of }) => of)).size;
  output.note(`${hit} of ${reviews.length} environments that run something.`);
}
