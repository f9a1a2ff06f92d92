import { page, PolicyException } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, duration, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';

interface AddOptions extends Common {
  scope: string;
  owner: string;
  reason: string;
  for: number;
}
interface ListOptions extends Common, Paging {
  policy?: string;
  all?: boolean;
}

/** Where a policy denies nothing for a while. */
export function exceptionCommands(cli: Cli): Command[] {
  return [
    command('except <id>', 'Have a policy deny nothing somewhere for a while', [
      'policy except no-latest --scope environments/shop.dev --owner mira --for 14d --reason "Until the vendor has tagged its images"',
    ])
      .argument('<id>')
      .requiredOption(
        '-s, --scope <scope>',
        'teams/<team>, projects/<project> or environments/<project>.<environment>',
      )
      .requiredOption('--owner <user>', 'who answers for it')
      .requiredOption('--reason <text>', 'why, for whoever reads it in a year')
      .requiredOption('--for <duration>', 'how long, e.g. 12h or 14d; a year at most', duration)
      .action((id: string, options: AddOptions) => add(cli, id, options)),
    paged(
      command('exceptions', 'List exceptions from policies', [
        'policy exceptions',
        'policy exceptions --policy no-latest --all',
      ]),
    )
      .option('--policy <id>', 'of this policy only')
      .option('--all', 'those that are over, too')
      .action((options: ListOptions) => list(cli, options)),
    command('unexcept <id> <exception>', 'End an exception before its time', [
      'policy unexcept no-latest 01981c3e-7d1f-7a60-9b0e-0a4e8f3a9c11',
    ])
      .argument('<id>')
      .argument('<exception>', 'its id, from `berth policy exceptions`')
      .action((id: string, exception: string, options: Common) => end(cli, id, exception, options)),
  ];
}

async function add(cli: Cli, id: string, options: AddOptions): Promise<void> {
  const { scope, owner, reason, for: seconds } = options;
  const expiresAt = new Date(Date.now() + seconds * 1_000).toISOString();
  const body = { scope, owner, reason, expiresAt };
  const exception = await cli.api.post(path`/v1/policies/${id}/exceptions`, PolicyException, body);
  if (options.json) return cli.output.json(exception);
  cli.output.line(`Policy ${id} denies nothing in ${scope} until ${exception.expiresAt}.`);
  cli.output.note(`To end it before: berth policy unexcept ${id} ${exception.id}`);
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const query = { ...pageQuery(options), policy: options.policy, all: options.all };
  const exceptions = await cli.api.get('/v1/policy-exceptions', page(PolicyException), query);
  if (options.json) return cli.output.json(exceptions);
  cli.output.table(
    exceptions.items,
    [
      ['ID', ({ id }) => id],
      ['POLICY', ({ policy }) => policy],
      ['SCOPE', ({ scope }) => scope],
      ['STATUS', ({ status }) => status],
      ['UNTIL', ({ expiresAt, endedAt }) => endedAt ?? expiresAt],
      ['OWNER', ({ owner }) => owner],
      ['MADE', ({ createdAt, createdBy }) => `${ago(createdAt)} by ${createdBy}`],
      ['REASON', ({ reason }) => reason],
    ],
    'No exceptions.',
  );
  tellOfMore(cli, exceptions);
}

async function end(cli: Cli, id: string, exception: string, options: Common): Promise<void> {
  const ended = await cli.api.deleteFor(path`/v1/policies/${id}/exceptions/${exception}`, PolicyException);
  if (options.json) return cli.output.json(ended);
  cli.output.line(`Policy ${id} holds in ${ended.scope} again.`);
}
