import { readFileSync } from 'node:fs';
import { page, Policy } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';

interface ApplyOptions extends Common {
  file: string;
  id?: string;
}

export function policyCommands(cli: Cli): Command {
  return family('policy', 'The rules, in Cedar', [
    paged(command('ls', 'List policies', ['policy ls'])).action((options: Common & Paging) =>
      list(cli, options),
    ),
    command('show <id>', 'Print a policy', ['policy show no-root > no-root.cedar'])
      .argument('<id>')
      .action((id: string, options: Common) => show(cli, id, options)),
    command('apply', 'Create or replace a policy; in force at once', [
      'policy apply -f no-latest.cedar',
      'policy apply -f rule.cedar --id no-latest',
    ])
      .requiredOption('-f, --file <path>', 'one Cedar policy, - for standard input')
      .option('--id <id>', 'what it is called (default: its @id("…"))')
      .action((options: ApplyOptions) => apply(cli, options)),
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
  const policy = await cli.api.put(path`/v1/policies/${options.id ?? policyId(text)}`, Policy, { text });
  if (options.json) return cli.output.json(policy);
  cli.output.line(`Policy ${policy.id} is in force, version ${policy.version}.`);
}

async function readPolicy(cli: Cli, file: string): Promise<string> {
  if (file === '-') return cli.readStdin();
  try {
    return readFileSync(cli.resolve(file), 'utf8');
  } catch (error) {
    throw CliError.usage(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** The id of Cedar's `@id("…")` annotation, outside of comments. */
function policyId(text: string): string {
  const ids = [...text.replace(/^\s*\/\/.*$/gm, '').matchAll(/@id\s*\(\s*"([^"]*)"\s*\)/g)].map(
    ([, id]) => id,
  );
  if (ids.length === 1) return ids[0];
  throw CliError.usage(
    ids.length
      ? `one policy at a time; there are ${ids.length}: ${ids.join(', ')}`
      : 'the policy has no @id("…")',
    ids.length ? 'Put each in a file of its own.' : 'Add @id("a-name") before it, or give --id.',
  );
}

async function remove(cli: Cli, id: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/policies/${id}`);
  if (options.json) return cli.output.json({ id });
  cli.output.line(`Policy ${id} is removed.`);
}
