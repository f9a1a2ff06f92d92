import {
  ChangedEnvironment,
  Configuration,
  Deployment,
  Environment,
  OnDrift,
  page,
  type ServiceSettings,
} from '@berth/contracts';
import { Argument, Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  collect,
  command,
  family,
  inEnvironment,
  inProject,
  paged,
  pageQuery,
  readPairs,
  readVariables,
  tellOfMore,
  type Common,
  type InEnvironment,
  type InProject,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { tellDrift } from '../output/drift.js';
import { tellHalts } from '../output/halts.js';
import { rollOut, type RolloutOptions } from '../deploy/rollout.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago, shortDigest } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface SetOptions extends RolloutOptions, InProject {
  var?: string[];
  unset?: string[];
  replace?: boolean;
  replicas?: string[];
  cpus?: string[];
  memory?: string[];
}
interface CreateOptions extends Common, InProject {
  var?: string[];
  onDrift: OnDrift;
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
    .addOption(onDriftOption())
    .action((name: string, options: CreateOptions) => createEnvironment(cli, name, options));
  const list = paged(
    inProject(command('ls', 'List the environments of a project', ['env ls --project shop'])),
  ).action((options: Common & InProject & Paging) => listEnvironments(cli, options));
  const show = inProject(command('show <name>', 'Show an environment and its variables', ['env show dev']))
    .argument('<name>')
    .action((name: string, options: Common & InProject) => showEnvironment(cli, name, options));
  const set = inProject(
    command('set <name>', 'Change variables and settings, and roll them out', [
      'env set dev --var LOG_LEVEL=debug --unset TRACE',
      'env set dev --replace --var LOG_LEVEL=info',
      'env set prod --replicas web=3 --memory web=1GiB --cpus web=0.5',
    ]),
  )
    .argument('<name>')
    .option('--var <NAME=VALUE>', 'set this one; may be repeated', collect)
    .option('--unset <NAME>', 'remove this one; may be repeated', collect)
    .option('--replace', 'drop all variables that are not given')
    .option('--replicas <SERVICE=N>', 'instances of a service; may be repeated', collect)
    .option('--cpus <SERVICE=CORES>', 'limit of one instance; may be repeated', collect)
    .option('--memory <SERVICE=SIZE>', 'limit of one instance, such as 512MiB; may be repeated', collect)
    .option('-d, --detach', 'return as soon as it is accepted')
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
  const history = paged(
    inProject(
      command('history <name>', 'List the versions of its variables and settings', ['env history prod']),
    ),
  )
    .argument('<name>')
    .action((name: string, options: Common & InProject & Paging) => listConfigurations(cli, name, options));
  const onDrift = inProject(
    command('on-drift <name> <what>', 'Report what is changed behind Berth, or mend it too', [
      'env on-drift prod mend',
    ]),
  )
    .argument('<name>')
    .addArgument(new Argument('<what>').choices(OnDrift.options))
    .action((name: string, what: OnDrift, options: Common & InProject) =>
      setOnDrift(cli, name, what, options),
    );
  const mend = inProject(
    command('mend <name>', 'Bring back what was rolled out, where it was changed behind Berth', [
      'env mend prod',
    ]),
  )
    .argument('<name>')
    .option('-d, --detach', 'return as soon as it is accepted')
    .action((name: string, options: RolloutOptions & InProject) => {
      const place = `${pathOf(projectName(cli, options.project), name)}/mendings`;
      return rollOut(cli, options, 'asking policy and quota', () => cli.api.post(place, Deployment, {}));
    });
  const members = [create, list, show, set, history, onDrift, mend, remove];
  return [family('env', 'Environments of a project', members), removeByOption];
}

function removal(member: Command): Command {
  return member
    .option('--volumes', 'its volumes too, with all that is in them')
    .option('-y, --yes', 'do not ask');
}

function onDriftOption(): Option {
  const summary = 'what becomes of what is changed behind Berth';
  return new Option('--on-drift <what>', summary).choices(OnDrift.options).default('report');
}

async function createEnvironment(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  const project = projectName(cli, options.project);
  const body = { name, variables: readVariables(options.var ?? []), onDrift: options.onDrift };
  const environment = await cli.api.post(path`/v1/projects/${project}/environments`, Environment, body);
  if (options.json) return cli.output.json(environment);
  cli.output.line(`Created environment ${environment.name} of ${environment.project}.`);
  cli.output.note(`Next: berth deploy --env ${environment.name} --project ${environment.project}`);
}

async function setOnDrift(
  cli: Cli,
  name: string,
  onDrift: OnDrift,
  options: Common & InProject,
): Promise<void> {
  const place = `${pathOf(projectName(cli, options.project), name)}/on-drift`;
  const environment = await cli.api.put(place, Environment, { onDrift });
  if (options.json) return cli.output.json(environment);
  const what = onDrift === 'mend' ? 'reported and mended' : 'reported';
  cli.output.line(`What is changed behind Berth in ${environment.project}.${name} is ${what} from now on.`);
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
  const { project, team, release, createdAt, variables, services, onDrift } = environment;
  cli.output.facts({
    environment: `${project}.${environment.name}`,
    team,
    release,
    created: createdAt,
    'on drift': onDrift,
  });
  tellDrift(cli, environment);
  tellHalts(cli, environment);
  cli.output.line();
  cli.output.table(
    Object.entries(variables),
    [
      ['VARIABLE', ([variable]) => variable],
      ['VALUE', ([, value]) => value],
    ],
    'No variables.',
  );
  if (Object.keys(services).length === 0) return;
  cli.output.line();
  for (const settings of Object.entries(services)) cli.output.line(tellSettings(settings));
}

async function setVariables(cli: Cli, name: string, options: SetOptions): Promise<void> {
  const place = pathOf(projectName(cli, options.project), name);
  const before = await cli.api.get(place, Environment);
  const variables = { ...(options.replace ? {} : before.variables), ...readVariables(options.var ?? []) };
  for (const variable of options.unset ?? []) delete variables[variable];
  const services = readSettings(before.services, options);
  let changed: ChangedEnvironment | null = null;
  const ask = async (): Promise<Deployment> => {
    changed = await cli.api.put(place, ChangedEnvironment, { variables, services });
    if (changed.deployment) return changed.deployment;
    throw new NothingRuns();
  };
  try {
    await rollOut(cli, options, 'asking policy and quota', ask);
  } catch (error) {
    if (!(error instanceof NothingRuns) || !changed) throw error;
    if (options.json) return cli.output.json(changed);
    const count = Object.keys(variables).length;
    cli.output.line(`${before.project}.${name} has ${count} variables. Nothing runs there yet.`);
  }
}

/** There is no deployment to follow: what was set is in force already. */
class NothingRuns extends Error {}

const SETTINGS = ['replicas', 'cpus', 'memory'] as const;

function readSettings(
  before: Record<string, ServiceSettings>,
  options: SetOptions,
): Record<string, ServiceSettings> {
  const services = { ...before };
  for (const key of SETTINGS) {
    for (const [service, text] of Object.entries(readPairs(`--${key}`, options[key] ?? []))) {
      services[service] = { ...services[service], [key]: key === 'memory' ? text : numberOf(key, text) };
    }
  }
  return services;
}

function numberOf(key: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw CliError.usage(`--${key}: "${text}" is no number`);
}

async function listConfigurations(
  cli: Cli,
  name: string,
  options: Common & InProject & Paging,
): Promise<void> {
  const place = pathOf(projectName(cli, options.project), name);
  const configurations = await cli.api.get(
    `${place}/configurations`,
    page(Configuration),
    pageQuery(options),
  );
  if (options.json) return cli.output.json(configurations);
  cli.output.table(
    configurations.items,
    [
      ['VERSION', ({ version }) => version],
      ['NOW', ({ current }) => (current ? 'in force' : '')],
      ['VARIABLES', ({ variables }) => Object.keys(variables).length],
      ['SETTINGS', ({ services }) => Object.entries(services).map(tellSettings).join(', ')],
      ['BY', ({ createdBy }) => createdBy],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    `${name} has no configurations.`,
  );
  tellOfMore(cli, configurations);
}

function tellSettings([service, settings]: [string, ServiceSettings]): string {
  const told = SETTINGS.flatMap((key) => (settings[key] === undefined ? [] : `${key}=${settings[key]}`));
  return `${service}: ${told.join(' ')}`;
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
