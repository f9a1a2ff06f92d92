import { type ExplainedCondition, type ExplainedPolicy, PolicyExplanation } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, type Common } from '../command.js';
import { printable } from '../output/text.js';

const MARKS: Record<ExplainedCondition['outcome'], string> = { holds: 'yes', fails: 'no ', errs: 'err' };
const MOST_SHOWN = 5;

export function explainCommand(cli: Cli): Command {
  return command('explain <decision>', 'Say why something was allowed or denied', [
    'policy explain 01981c3e-7d1f-7a60-9b0e-0a4e8f3a9c11',
  ])
    .argument('<decision>', 'its id: a denial names it, and so do audit records')
    .option('--all', 'also the policies that are far from holding')
    .action((decision: string, options: Common & { all?: boolean }) => explain(cli, decision, options));
}

async function explain(cli: Cli, decision: string, options: Common & { all?: boolean }): Promise<void> {
  const { output } = cli;
  const found = await cli.api.post('/v1/policies/explanations', PolicyExplanation, { decision });
  if (options.json) return output.json(found);
  const { allowed, now, applying } = found;
  output.facts({
    Decision: `${allowed ? 'allowed' : 'denied'} at ${found.time}`,
    Action: `${found.action}, ${found.hook}`,
    Who: found.principal,
    Resource: `${found.resource.type} ${found.resource.id}`,
    Because: found.policies.map(({ id, message }) => `${id}: ${message}`).join('\n'),
    Facts: JSON.stringify(found.context),
    Now: now ? `it would be ${now.allowed ? 'allowed' : 'denied'}` : 'it cannot be asked any more',
  });
  const holding = applying.filter(({ holds }) => holds);
  const others = applying.filter(({ holds }) => !holds);
  const shown = options.all ? others : others.slice(0, MOST_SHOWN);
  tellPolicies(cli, 'Policies that hold', holding);
  tellPolicies(cli, 'Policies that do not, the nearest first', shown);
  if (others.length > shown.length) output.note(`${others.length - shown.length} more: --all`);
}

function tellPolicies({ output }: Cli, title: string, policies: readonly ExplainedPolicy[]): void {
  if (policies.length === 0) return;
  output.line();
  output.line(output.paint('bold', title));
  for (const { id, effect, scope, mode, conditions, left } of policies) {
    output.line(`  ${id} (${effect}, ${mode} in ${scope})`);
    for (const { text, outcome, error } of conditions) {
      const why = error === null ? '' : `: ${error}`;
      output.line(`    ${MARKS[outcome]} ${printable(text).replace(/\s+/g, ' ')}${printable(why)}`);
    }
    if (left > 0) output.line(`    ... ${left} more, not come to`);
  }
}
