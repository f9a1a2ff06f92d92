import { writeFileSync } from 'node:fs';
import { FormattedPolicy, page, Policy } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import {
  type Bound,
  bindCommand,
  bindingsOf,
  bound,
  tellBindings,
  unbindCommand,
} from './policy-bindings.js';
import { exceptionCommands } from './policy-exceptions.js';
import { explainCommand } from './policy-explanation.js';
import { historyCommands } from './policy-history.js';
import { libraryCommands } from './policy-library.js';
import { reviewCommand } from './policy-review.js';
import { simulateCommand } from './policy-simulation.js';
import { testCommand } from './policy-tests.js';
import { policyId, readPolicy } from './policy-text.js';

interface ApplyOptions extends Common, Bound {
  file: string;
  id?: string;
}
interface FormatOptions extends Common {
  file: string;
  write?: boolean;
}

export function policyCommands(cli: Cli): Command {
  return family('policy', 'The rules, in Cedar', [
    paged(command('ls', 'List policies', ['policy ls'])).action((options: Common & Paging) =>
      list(cli, options),
    ),
    command('show <id>', 'Print a policy', ['policy show no-root > no-root.cedar'])
      .argument('<id>')
      .action((id: string, options: Common) => show(cli, id, options)),
    bound(
      command('apply', 'Create or replace a policy; in force at once', [
        'policy apply -f no-latest.cedar',
        'policy apply -f rule.cedar --id no-latest',
        'policy apply -f no-latest.cedar --scope environments/shop.prod --mode warn',
      ]),
    )
      .requiredOption('-f, --file <path>', 'one Cedar policy, - for standard input')
      .option('--id <id>', 'what it is called (default: its @id("…"))')
      .action((options: ApplyOptions) => apply(cli, options)),
    bindCommand(cli),
    unbindCommand(cli),
    ...historyCommands(cli),
    ...exceptionCommands(cli),
    testCommand(cli),
    simulateCommand(cli),
    reviewCommand(cli),
    libraryCommands(cli),
    explainCommand(cli),
    command('fmt', 'Lay out the text of a policy', [
      'policy fmt -f no-latest.cedar',
      'policy fmt -f no-latest.cedar --write',
    ])
      .requiredOption('-f, --file <path>', 'one Cedar policy, - for standard input')
      .option('-w, --write', 'into the file')
      .action((options: FormatOptions) => format(cli, options)),
    command('rm <id>', 'Remove a policy; no longer in force at once', ['policy rm no-latest'])
      .argument('<id>')
      .action((id: string, options: Common) => remove(cli, id, options)),
  ]);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const policies = await cli.api.get('/v1/policies', page(Policy), pageQuery(options));
  if (options.json) return cli.output.json(policies);
  cli.output.table(
    policies.items,
    [
      ['ID', ({ id }) => id],
      ['VERSION', ({ version }) => version],
      ['BUILT IN', ({ builtin }) => (builtin ? 'yes' : 'no')],
      ['HOLDS', ({ bindings }) => tellBindings(bindings)],
      ['CHANGED', ({ updatedAt, updatedBy }) => `${ago(updatedAt)} by ${updatedBy}`],
      ['MESSAGE', ({ message }) => message],
    ],
    'No policies: everything is denied.',
  );
  tellOfMore(cli, policies);
}

async function show(cli: Cli, id: string, options: Common): Promise<void> {
  const policy = await cli.api.get(path`/v1/policies/${id}`, Policy);
  if (options.json) return cli.output.json(policy);
  cli.output.line(policy.text.trimEnd());
}

async function apply(cli: Cli, options: ApplyOptions): Promise<void> {
  const text = await readPolicy(cli, options.file);
  const body = { text, bindings: bindingsOf(options) };
  const policy = await cli.api.put(path`/v1/policies/${options.id ?? policyId(text)}`, Policy, body);
  if (options.json) return cli.output.json(policy);
  const { id, version, bindings } = policy;
  cli.output.line(`Policy ${id} is in force, version ${version}: ${tellBindings(bindings)}.`);
}

async function format(cli: Cli, { file, write, json }: FormatOptions): Promise<void> {
  if (write && file === '-')
    throw CliError.usage('standard input cannot be written to', 'Leave --write out.');
  const before = await readPolicy(cli, file);
  const formatted = await cli.api.post('/v1/policies/format', FormattedPolicy, { text: before });
  if (write) writeFileSync(cli.resolve(file), formatted.text);
  if (json) return cli.output.json({ ...formatted, changed: formatted.text !== before });
  if (!write) return cli.output.line(formatted.text.trimEnd());
  cli.output.note(formatted.text === before ? `${file} is as it should be.` : `${file} is laid out anew.`);
}

async function remove(cli: Cli, id: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/policies/${id}`);
  if (options.json) return cli.output.json({ id });
  cli.output.line(`Policy ${id} is removed.`);
}
