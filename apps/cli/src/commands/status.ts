import { Deployment, Environment, Ingress, page, Service } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  inEnvironment,
  inProject,
  type Common,
  type InEnvironment,
  type InProject,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';
import { tellDrift } from '../output/drift.js';
import { tellHalts } from '../output/halts.js';
import { ago, shortDigest } from '../output/text.js';

/** What `status --json` tells of an environment; beside it stands `ingress`, which all have in common. */
interface Status {
  environment: Environment;
  deployment: Deployment | null;
  services: Service[];
}

export function statusCommands(cli: Cli): Command[] {
  return [
    inProject(
      command('status', 'Show what runs, how the last deployment went, and whether requests come in', [
        'status --env dev',
        'status --project shop',
      ]),
    )
      .option('-e, --env <name>', 'the environment (default: all of the project)')
      .action((options: Common & InProject & { env?: string }) => status(cli, options)),
    inEnvironment(command('services', 'List services and their instances', ['services --env dev'])).action(
      (options: Common & InEnvironment) => services(cli, options),
    ),
  ];
}

async function status(cli: Cli, options: Common & InProject & { env?: string }): Promise<void> {
  const project = projectName(cli, options.project);
  const environments = options.env
    ? [await cli.api.get(path`/v1/projects/${project}/environments/${options.env}`, Environment)]
    : (await cli.api.get(path`/v1/projects/${project}/environments`, page(Environment), { limit: 200 }))
        .items;
  const statuses: Status[] = [];
  for (const environment of environments) statuses.push(await statusOf(cli, environment));
  const ingress = await wayIn(cli);
  if (options.json)
    return cli.output.json({
      ...(options.env ? statuses[0] : { items: statuses, nextCursor: null }),
      ingress,
    });
  if (ingress) {
    cli.output.facts({ 'way in': described(ingress) });
    cli.output.line();
  }
  if (!statuses.length) return cli.output.note(`${project} has no environments: berth env create dev`);
  statuses.forEach((each, index) => {
    if (index) cli.output.line();
    showStatus(cli, each);
  });
}

async function statusOf(cli: Cli, environment: Environment): Promise<Status> {
  const place = path`/v1/projects/${environment.project}/environments/${environment.name}`;
  const [deployments, found] = await Promise.all([
    cli.api.get(`${place}/deployments`, page(Deployment), { limit: 1 }),
    cli.api.get(`${place}/services`, page(Service)),
  ]);
  return { environment, deployment: deployments.items[0] ?? null, services: found.items };
}

/** Null where one may not know, or where the platform is older than the question. */
async function wayIn(cli: Cli): Promise<Ingress | null> {
  try {
    return await cli.api.get('/v1/ingress', Ingress);
  } catch (error) {
    if (error instanceof CliError && (error.exitCode === EXIT.denied || error.exitCode === EXIT.notFound))
      return null;
    throw error;
  }
}

function described({ state, reason, addresses }: Ingress): string {
  const at = addresses.join(', ');
  if (state === 'answers') return `answers at ${at}`;
  return state === 'off' ? `none. ${reason}` : `broken: ${reason}`;
}

function showStatus(cli: Cli, { environment, deployment, services: found }: Status): void {
  const { output } = cli;
  output.facts({
    environment: `${environment.project}.${environment.name}`,
    team: environment.team,
    release: shortDigest(environment.release),
    'last deployment': deployment
      ? `${deployment.status}, ${ago(deployment.createdAt)} by ${deployment.createdBy} (${deployment.id})`
      : 'none',
    ...(deployment?.reason ? { reason: deployment.reason } : {}),
  });
  tellDrift(cli, environment);
  tellHalts(cli, environment);
  output.line();
  showServices(cli, found, `Nothing runs in ${environment.project}.${environment.name}.`);
}

async function services(cli: Cli, options: Common & InEnvironment): Promise<void> {
  const project = projectName(cli, options.project);
  const found = await cli.api.get(
    path`/v1/projects/${project}/environments/${options.env}/services`,
    page(Service),
  );
  if (options.json) return cli.output.json(found);
  showServices(cli, found.items, `Nothing runs in ${project}.${options.env}.`);
  if (!found.items.length) return;
  cli.output.line();
  cli.output.table(
    found.items.flatMap(({ name, instances }) => instances.map((instance) => ({ name, instance }))),
    [
      ['INSTANCE', ({ instance }) => instance.id.slice(0, 12)],
      ['SERVICE', ({ name }) => name],
      ['STATE', ({ instance }) => instance.state],
      ['HEALTHY', ({ instance: { healthy } }) => (healthy === null ? '-' : healthy ? 'yes' : 'no')],
      ['RELEASE', ({ instance }) => shortDigest(instance.release)],
      ['STARTED', ({ instance }) => ago(instance.startedAt)],
      ['MESSAGE', ({ instance }) => instance.message],
    ],
    'No instances.',
  );
}

function showServices(cli: Cli, found: readonly Service[], empty: string): void {
  cli.output.table(
    found,
    [
      ['SERVICE', ({ name }) => name],
      ['IMAGE', ({ image }) => image],
      ['RUNNING', ({ replicas }) => `${replicas.running}/${replicas.desired}`],
      ['RELEASE', ({ release }) => shortDigest(release)],
      ['URL', ({ url }) => url ?? '-'],
      ['PORTS', ({ ports }) => ports.map(portOf).join(', ') || '-'],
    ],
    empty,
  );
}

function portOf({ target, published, protocol, url }: Service['ports'][number]): string {
  return url ?? (published ? `${published}->${target}/${protocol}` : `${target}/${protocol}`);
}
