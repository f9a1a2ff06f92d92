import { AuditRecord, page, RecordOutcome } from '@berth/contracts';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  family,
  moment,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type Paging,
} from '../command.js';

interface ListOptions extends Common, Paging {
  team?: string;
  project?: string;
  env?: string;
  actor?: string;
  action?: string;
  resource?: string;
  outcome?: RecordOutcome;
  correlationId?: string;
  since?: string;
  until?: string;
  reads?: boolean;
}

export function auditCommands(cli: Cli): Command {
  const list = command('ls', 'List who did what, newest first', [
    'audit ls --team acme --since 2h',
    'audit ls --outcome denied --actor mira',
    'audit ls --action "deployment.*" --project shop --env dev --json',
  ])
    .option('--team <name>')
    .option('-p, --project <name>')
    .option('-e, --env <name>')
    .option('--actor <user>')
    .option('--action <name>', 'an action, or a family such as "deployment.*"')
    .option('--resource <type[:id]>', 'such as Environment:shop.dev')
    .addOption(new Option('--outcome <outcome>', 'how it ended').choices(RecordOutcome.options))
    .option('--correlation-id <id>', 'all of one request')
    .option('--since <time>', 'from then on: 15m, 2h, 7d, or a timestamp', moment)
    .option('--until <time>', 'up to then', moment)
    .option('--reads', 'successful reads too');
  return family('audit', 'The audit log', [
    paged(list).action((options: ListOptions) => listRecords(cli, options)),
  ]);
}

async function listRecords(cli: Cli, options: ListOptions): Promise<void> {
  const { team, project, env, actor, action, resource, outcome, correlationId, since, until, reads } =
    options;
  const filter = {
    team,
    project,
    environment: env,
    actor,
    action,
    resource,
    outcome,
    correlationId,
    since,
    until,
    reads,
  };
  const records = await cli.api.get('/v1/audit/records', page(AuditRecord), {
    ...pageQuery(options),
    ...filter,
  });
  if (options.json) return cli.output.json(records);
  cli.output.table(
    records.items,
    [
      ['TIME', ({ time }) => time.replace('T', ' ').replace(/\.\d+/, '')],
      ['ACTOR', (record) => record.actor],
      ['ACTION', (record) => record.action],
      ['RESOURCE', ({ resource: { type, id } }) => `${type}:${id}`],
      ['OUTCOME', (record) => record.outcome],
      ['WHY', whyOf],
    ],
    'No records.',
  );
  tellOfMore(cli, records);
}

/** What the policies say of a denial, else the code and reason of a failure. */
function whyOf({ outcome, policies, code, reason }: AuditRecord): string {
  // A denial for another reason, such as quota, has policies too: those that allowed it.
  if (outcome === 'denied' && code === 'POLICY_DENIED' && policies.length) {
    return policies.map(({ id, message }) => `${id}: ${message}`).join('; ');
  }
  return [code, reason?.split('\n', 1)[0]].filter(Boolean).join(': ') || '-';
}
