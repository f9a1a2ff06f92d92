import { Policy, PolicyBinding, PolicyMode } from '@berth/contracts';
import { type Command, Option } from 'commander';
import type { Cli } from '../cli.js';
import { collect, command, type Common } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';

export interface Bound {
  scope?: string[];
  mode?: PolicyMode;
}

const SCOPE_HELP =
  'platform, teams/<team>, projects/<project> or environments/<project>.<environment>; may be repeated';

/** Adds `--scope` and `--mode`, which say where a policy holds and how hard. */
export function bound(member: Command): Command {
  return member
    .option('-s, --scope <scope>', SCOPE_HELP, collect)
    .addOption(
      new Option(
        '-m, --mode <mode>',
        'deny; warn: tell whoever does it; dry-run: tell in records only',
      ).choices(PolicyMode.options),
    );
}

export function bindCommand(cli: Cli): Command {
  return bound(
    command('bind <id>', 'Have a policy hold in a scope, beside those where it does', [
      'policy bind no-latest --scope environments/shop.prod',
      'policy bind no-latest --scope platform --mode warn',
    ]),
  )
    .argument('<id>')
    .action((id: string, options: Common & Bound) => bind(cli, id, options));
}

export function unbindCommand(cli: Cli): Command {
  return command('unbind <id>', 'Have a policy hold no longer in a scope', [
    'policy unbind no-latest --scope platform',
  ])
    .argument('<id>')
    .requiredOption('-s, --scope <scope>', SCOPE_HELP, collect)
    .action((id: string, options: Common & { scope: string[] }) => unbind(cli, id, options));
}

/** The bindings that options ask for; undefined where they ask for none. */
export function bindingsOf({ scope, mode }: Bound): PolicyBinding[] | undefined {
  if (!scope && !mode) return undefined;
  return (scope ?? ['platform']).map((one) => {
    const binding = PolicyBinding.safeParse({ scope: one, mode: mode ?? 'deny' });
    if (!binding.success) throw badScope(one);
    return binding.data;
  });
}

/** `deny in platform; warn in projects/shop`. */
export function tellBindings(bindings: readonly PolicyBinding[]): string {
  return bindings.map(({ scope, mode }) => `${mode} in ${scope}`).join('; ') || 'nowhere';
}

async function bind(cli: Cli, id: string, options: Common & Bound): Promise<void> {
  const added = bindingsOf(options);
  if (!added)
    throw CliError.usage(
      'where it is to hold is not said',
      'Add --scope, or --mode for all of the platform.',
    );
  const scopes = new Set(added.map(({ scope }) => scope));
  await rebind(cli, id, options, (before) => [...before.filter(({ scope }) => !scopes.has(scope)), ...added]);
}

async function unbind(cli: Cli, id: string, options: Common & { scope: string[] }): Promise<void> {
  await rebind(cli, id, options, (before) => {
    for (const scope of options.scope) {
      if (!before.some((binding) => binding.scope === scope)) {
        throw CliError.usage(`${id} is not bound to ${scope}`, `It holds: ${tellBindings(before)}.`);
      }
    }
    return before.filter(({ scope }) => !options.scope.includes(scope));
  });
}

/** What is changed is what was seen: a change by someone else in between is refused. */
async function rebind(
  cli: Cli,
  id: string,
  options: Common,
  change: (before: readonly PolicyBinding[]) => PolicyBinding[],
): Promise<void> {
  const before = await cli.api.get(path`/v1/policies/${id}`, Policy);
  const body = { bindings: change(before.bindings), expectedVersion: before.version };
  const policy: Policy = await cli.api.put(path`/v1/policies/${id}/bindings`, Policy, body);
  if (options.json) return cli.output.json(policy);
  cli.output.line(`Policy ${policy.id}, version ${policy.version}: ${tellBindings(policy.bindings)}.`);
}

function badScope(scope: string): CliError {
  return CliError.usage(`"${scope}" is no scope`, `It is one of ${SCOPE_HELP.split(';')[0]}.`);
}
