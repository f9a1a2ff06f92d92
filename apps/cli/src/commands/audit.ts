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
import type { Query } from '../http/path.js';
import { counted } from '../output/text.js';

interface Filter {
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
type ListOptions = Common & Paging & Filter;

export function auditCommands(cli: Cli): Command {
  const list = command('ls', 'List who did what, newest first', [
    'audit ls --team acme --since 2h',
    'audit ls --outcome denied --actor mira',
    'audit ls --action "deployment.*" --project shop --env dev --json',
  ]);
  const all = command('export', 'Take the log out: every record that fits, each as a line of JSON', [
    'audit export --since 30d > records.ndjson',
    'audit export --team acme --reads | jq -r .actor | sort | uniq -c',
  ]);
  return family('audit', 'The audit log', [
    filtered(paged(list)).action((options: ListOptions) => listRecords(cli, options)),
    filtered(all).action((options: Filter) => exportRecords(cli, options)),
  ]);
}

function filtered(reading: Command): Command {
  return reading
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
}

function queryOf({ env, ...filter }: Filter): Query {
  const { team, project, actor, action, resource, outcome, correlationId, since, until, reads } = filter;
  const place = { team, project, environment: env };
  return { ...place, actor, action, resource, outcome, correlationId, since, until, reads };
}

async function exportRecords(cli: Cli, filter: Filter): Promise<void> {
  let records = 0;
  for await (const text of cli.api.text('/v1/audit/export', queryOf(filter))) {
    records += text.split('\n').length - 1;
    await cli.output.part(text);
  }
  cli.output.note(`${counted(records, 'record')}.`);
}

async function listRecords(cli: Cli, options: ListOptions): Promise<void> {
  const records = await cli.api.get('/v1/audit/records', page(AuditRecord), {
    ...pageQuery(options),
    ...queryOf(options),
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
