import { LibraryPolicy, type ParameterValue, Policy, RenderedPolicy } from '@berth/contracts';
import { Command } from 'commander';
import { z } from 'zod';
import type { Cli } from '../cli.js';
import { collect, command, family, readPairs, type Common } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { type Bound, bindingsOf, bound, tellBindings } from './policy-bindings.js';

const Library = z.object({ items: z.array(LibraryPolicy) });

interface RenderOptions extends Common {
  set?: string[];
  id?: string;
}

interface ApplyOptions extends RenderOptions, Bound {
  replace?: boolean;
}

/** The ready policies that come with Berth. */
export function libraryCommands(cli: Cli): Command {
  return family('library', 'Ready policies', [
    command('ls', 'List ready policies', ['policy library ls']).action((options: Common) =>
      list(cli, options),
    ),
    rendering(
      command('show <name>', 'Print a ready policy, with values for its parameters', [
        'policy library show images-from',
        'policy library show images-from --set registries=berth,ghcr.io > images-from.cedar',
      ]),
    ).action((name: string, options: RenderOptions) => show(cli, name, options)),
    bound(
      rendering(
        command('apply <name>', 'Put a ready policy in force', [
          'policy library apply non-root --mode warn',
          'policy library apply images-from --set registries=berth,ghcr.io --scope teams/acme',
        ]),
      ),
    )
      .option('--replace', 'in place of a policy that has this name')
      .action((name: string, options: ApplyOptions) => apply(cli, name, options)),
  ]);
}

function rendering(member: Command): Command {
  return member
    .argument('<name>')
    .option('--set <name=value>', 'a parameter; a comma stands between the members of a set', collect)
    .option('--id <id>', 'what it is to be called (default: as in the library)');
}

async function list(cli: Cli, options: Common): Promise<void> {
  const library = await cli.api.get('/v1/policy-library', Library);
  if (options.json) return cli.output.json(library);
  cli.output.table(
    library.items,
    [
      ['NAME', ({ id }) => id],
      ['SAYS', ({ summary }) => summary],
      ['PARAMETERS', ({ parameters }) => Object.keys(parameters).join(', ') || '-'],
    ],
    'No ready policies.',
  );
}

async function show(cli: Cli, name: string, options: RenderOptions): Promise<void> {
  const { entry, rendered } = await render(cli, name, options);
  if (options.json) return cli.output.json({ ...entry, ...rendered });
  for (const [parameter, { type, default: value, summary }] of Object.entries(entry.parameters)) {
    cli.output.note(`${parameter} (${type}, default ${[value].flat().join(',')}): ${summary}`);
  }
  cli.output.line(rendered.text.trimEnd());
}

/** Some have the names of policies that Berth starts with, which are not to be weakened by the way. */
async function apply(cli: Cli, name: string, options: ApplyOptions): Promise<void> {
  const { rendered } = await render(cli, name, options);
  const expectedVersion = options.replace ? undefined : 0;
  const body = { text: rendered.text, bindings: bindingsOf(options), expectedVersion };
  const policy = await cli.api
    .put(path`/v1/policies/${rendered.id}`, Policy, body)
    .catch((error: unknown) => {
      if (!(error instanceof CliError) || error.code !== 'CONFLICT') throw error;
      throw error.withHint(`There is a policy "${rendered.id}": give --id for another name, or --replace.`);
    });
  if (options.json) return cli.output.json(policy);
  const { id, version, bindings } = policy;
  cli.output.line(`Policy ${id} is in force, version ${version}: ${tellBindings(bindings)}.`);
}

async function render(
  cli: Cli,
  name: string,
  { set = [], id }: RenderOptions,
): Promise<{ entry: LibraryPolicy; rendered: RenderedPolicy }> {
  const { items } = await cli.api.get('/v1/policy-library', Library);
  const entry = items.find((one) => one.id === name);
  if (!entry) {
    throw CliError.usage(
      `the library has no policy ${name}`,
      'See what there is: `berth policy library ls`.',
    );
  }
  const given = Object.entries(readPairs('--set', set)).map(([parameter, value]) => [
    parameter,
    valueOf(entry, parameter, value),
  ]);
  const parameters: Record<string, ParameterValue> = Object.fromEntries(given);
  const rendered = await cli.api.post(path`/v1/policy-library/${name}/renderings`, RenderedPolicy, {
    id,
    parameters,
  });
  return { entry, rendered };
}

function valueOf({ id, parameters }: LibraryPolicy, name: string, value: string): ParameterValue {
  const type = Object.hasOwn(parameters, name) ? parameters[name].type : undefined;
  if (type === 'set') return value.split(',').filter(Boolean);
  if (type === 'text') return value;
  if (type === 'number' && /^\d+$/.test(value)) return Number(value);
  if (type === 'number') throw CliError.usage(`--set ${name}=${value}: it must be a whole number`);
  throw CliError.usage(
    `${id} has no parameter ${name}`,
    `It has: ${Object.keys(parameters).join(', ') || 'none'}.`,
  );
}
