import { Environment, page } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  collect,
  command,
  family,
  inEnvironment,
  inProject,
  paged,
  pageQuery,
  readVariables,
  tellOfMore,
  type Common,
  type InEnvironment,
  type InProject,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { path } from '../http/path.js';
import { ago, shortDigest } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface SetOptions extends Common, InProject {
  var?: string[];
  unset?: string[];
  replace?: boolean;
}
interface RemoveOptions extends Common, InProject {
  volumes?: boolean;
  yes?: boolean;
}

export function environmentCommands(cli: Cli): Command[] {
  const create = inProject(
    command('create <name>', 'Create an environment', [
      'env create dev',
      'env create prod --project shop --var TIER=gold',
    ]),
  )
    .argument('<name>', 'a DNS label')
    .option('--var <NAME=VALUE>', 'what ${NAME} in the Compose file stands for; may be repeated', collect)
    .action((name: string, options: Common & InProject & { var?: string[] }) =>
      createEnvironment(cli, name, options),
    );
  const list = paged(
    inProject(command('ls', 'List the environments of a project', ['env ls --project shop'])),
  ).action((options: Common & InProject & Paging) => listEnvironments(cli, options));
  const show = inProject(command('show <name>', 'Show an environment and its variables', ['env show dev']))
    .argument('<name>')
    .action((name: string, options: Common & InProject) => showEnvironment(cli, name, options));
  const set = inProject(
    command('set <name>', 'Change variables; the next deploy uses them', [
      'env set dev --var LOG_LEVEL=debug --unset TRACE',
      'env set dev --replace --var LOG_LEVEL=info',
    ]),
  )
    .argument('<name>')
    .option('--var <NAME=VALUE>', 'set this one; may be repeated', collect)
    .option('--unset <NAME>', 'remove this one; may be repeated', collect)
    .option('--replace', 'drop all that are not given')
    .action((name: string, options: SetOptions) => setVariables(cli, name, options));
  const remove = removal(
    inProject(command('rm <name>', 'Remove an environment and what runs in it', ['env rm dev'])),
  )
    .argument('<name>')
    .action((name: string, options: RemoveOptions) => removeEnvironment(cli, name, options));
  const removeByOption = removal(
    inEnvironment(
      command('remove', 'Remove an environment and what runs in it', [
        'remove --env dev',
        'remove --env dev --project shop --volumes --yes',
      ]),
    ),
  ).action((options: RemoveOptions & InEnvironment) => removeEnvironment(cli, options.env, options));
  return [family('env', 'Environments of a project', [create, list, show, set, remove]), removeByOption];
}

function removal(member: Command): Command {
  return member
    .option('--volumes', 'its volumes too, with all that is in them')
    .option('-y, --yes', 'do not ask');
}

async function createEnvironment(
  cli: Cli,
  name: string,
  options: Common & InProject & { var?: string[] },
): Promise<void> {
  const project = projectName(cli, options.project);
  const body = { name, variables: readVariables(options.var ?? []) };
  const environment = await cli.api.post(path`/v1/projects/${project}/environments`, Environment, body);
  if (options.json) return cli.output.json(environment);
  cli.output.line(`Created environment ${environment.name} of ${environment.project}.`);
  cli.output.note(`Next: berth deploy --env ${environment.name} --project ${environment.project}`);
}

async function listEnvironments(cli: Cli, options: Common & InProject & Paging): Promise<void> {
  const project = projectName(cli, options.project);
  const environments = await cli.api.get(
    path`/v1/projects/${project}/environments`,
    page(Environment),
    pageQuery(options),
  );
  if (options.json) return cli.output.json(environments);
  cli.output.table(
    environments.items,
    [
      ['NAME', ({ name }) => name],
      ['RELEASE', ({ release }) => shortDigest(release)],
      ['VARIABLES', ({ variables }) => Object.keys(variables).length],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    `${project} has no environments. Create one: berth env create dev --project ${project}`,
  );
  tellOfMore(cli, environments);
}

async function showEnvironment(cli: Cli, name: string, options: Common & InProject): Promise<void> {
  const environment = await cli.api.get(pathOf(projectName(cli, options.project), name), Environment);
  if (options.json) return cli.output.json(environment);
  const { project, team, release, createdAt, variables } = environment;
  cli.output.facts({ environment: `${project}.${environment.name}`, team, release, created: createdAt });
  cli.output.line();
  cli.output.table(
    Object.entries(variables),
    [
      ['VARIABLE', ([variable]) => variable],
      ['VALUE', ([, value]) => value],
    ],
    'No variables.',
  );
}

async function setVariables(cli: Cli, name: string, options: SetOptions): Promise<void> {
  const place = pathOf(projectName(cli, options.project), name);
  const before = options.replace ? {} : (await cli.api.get(place, Environment)).variables;
  const variables = { ...before, ...readVariables(options.var ?? []) };
  for (const variable of options.unset ?? []) delete variables[variable];
  const environment = await cli.api.put(place, Environment, { variables });
  if (options.json) return cli.output.json(environment);
  cli.output.line(
    `${environment.project}.${environment.name} has ${Object.keys(variables).length} variables.`,
  );
  cli.output.note('What runs keeps its values until the next deploy.');
}

async function removeEnvironment(cli: Cli, name: string, options: RemoveOptions): Promise<void> {
  const project = projectName(cli, options.project);
  const what = `${project}.${name} and all that runs in it${options.volumes ? ', with its volumes' : ''}`;
  if (!(await confirmed(cli, `Remove ${what}?`, options.yes))) return cli.output.note('Nothing was removed.');
  await cli.api.delete(pathOf(project, name), { volumes: options.volumes });
  if (options.json) return cli.output.json({ project, name });
  cli.output.line(`Removed ${what}.`);
}

function pathOf(project: string, name: string): string {
  return path`/v1/projects/${project}/environments/${name}`;
}
