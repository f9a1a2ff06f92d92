import { ChangedResource, Deployment, page, Resource } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  family,
  inEnvironment,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type InEnvironment,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { rollOut, type RolloutOptions } from '../deploy/rollout.js';
import { path } from '../http/path.js';
import { resourcePath } from '../resource-path.js';
import { ago, printable } from '../output/text.js';
import { confirmed } from '../prompt.js';
import { backupCommands } from './backups.js';

const ASKING = 'asking policy and quota';

type Rolling = RolloutOptions & InEnvironment;

export function resourceCommands(cli: Cli): Command {
  const add = rolling(
    command('add <entry[:version]>', 'Add a resource: at once there for all of the environment', [
      'resource add postgres --name orders-db --env dev',
      'resource add redis:7 --name cache --env prod',
    ]),
  )
    .argument(
      '<entry[:version]>',
      'of the catalog: `berth catalog ls` lists them (default: its first version)',
    )
    .requiredOption('-n, --name <name>', 'what it is to be called, also as a host')
    .action((entry: string, options: Rolling & { name: string }) => addResource(cli, entry, options));
  const list = paged(
    inEnvironment(command('ls', 'List the resources of an environment', ['resource ls --env dev'])),
  ).action((options: Common & InEnvironment & Paging) => listResources(cli, options));
  const show = inEnvironment(
    command('show <name>', 'Show a resource, and what a service is given that uses it', [
      'resource show orders-db --env dev',
    ]),
  )
    .argument('<name>')
    .action((name: string, options: Common & InEnvironment) => showResource(cli, name, options));
  const remove = rolling(
    command('rm <name>', 'Remove a resource that nothing uses', [
      'resource rm orders-db --env dev',
      'resource rm orders-db --env dev --data --yes',
    ]),
  )
    .argument('<name>')
    .option('--data', 'with all that it holds (default: that stays)')
    .option('-y, --yes', 'do not ask')
    .action((name: string, options: Rolling & { data?: boolean; yes?: boolean }) =>
      removeResource(cli, name, options),
    );
  const rotate = rolling(
    command('rotate <name>', 'Give a resource new credentials, and bring them to who uses it', [
      'resource rotate orders-db --env prod',
    ]),
  )
    .argument('<name>')
    .action((name: string, options: Rolling) =>
      rollOut(cli, options, ASKING, async () => {
        const place = `${resourcePath(cli, name, options)}/rotations`;
        return (await cli.api.post(place, ChangedResource, {})).deployment;
      }),
    );
  const upgrade = rolling(
    command('upgrade <name> <version>', 'Bring a resource to another version, as its entry allows', [
      'resource upgrade orders-db 17.6 --env dev',
    ]),
  )
    .argument('<name>')
    .argument('<version>')
    .action((name: string, version: string, options: Rolling) =>
      rollOut(cli, options, ASKING, async () => {
        const place = `${resourcePath(cli, name, options)}/version`;
        return (await cli.api.put(place, ChangedResource, { version })).deployment;
      }),
    );
  const members = [add, list, show, remove, rotate, upgrade, ...backupCommands(cli)];
  return family('resource', 'Databases, caches and queues of an environment', members);
}

function rolling(member: Command): Command {
  return inEnvironment(member).option('-d, --detach', 'return as soon as it is accepted');
}

async function addResource(cli: Cli, wanted: string, options: Rolling & { name: string }): Promise<void> {
  const { name, env } = options;
  const [entry, version] = wanted.split(':', 2);
  const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${env}/resources`;
  const body = { entry, name, ...(version === undefined ? {} : { version }) };
  await rollOut(cli, options, ASKING, async () => {
    return (await cli.api.post(place, ChangedResource, body)).deployment;
  });
  if (!options.json)
    cli.output.note(`A service gets it with x-berth: { uses: [${name}] } in the Compose file.`);
}

async function listResources(cli: Cli, options: Common & InEnvironment & Paging): Promise<void> {
  const project = projectName(cli, options.project);
  const place = path`/v1/projects/${project}/environments/${options.env}/resources`;
  const resources = await cli.api.get(place, page(Resource), pageQuery(options));
  if (options.json) return cli.output.json(resources);
  cli.output.table(
    resources.items,
    [
      ['NAME', ({ name }) => name],
      ['ENTRY', ({ entry, version }) => `${entry} ${version}`],
      ['AT', ({ name, port }) => `${name}:${port}`],
      ['USED BY', ({ usedBy }) => usedBy.join(', ') || '-'],
      ['ADDED BY', ({ addedBy }) => addedBy],
      ['ADDED', ({ addedAt }) => ago(addedAt)],
    ],
    `${project}.${options.env} has no resources. Add one: berth resource add postgres --name <name> --env ${options.env}`,
  );
  tellOfMore(cli, resources);
}

async function showResource(cli: Cli, name: string, options: Common & InEnvironment): Promise<void> {
  const resource = await cli.api.get(resourcePath(cli, name, options), Resource);
  if (options.json) return cli.output.json(resource);
  const { entry, version, image, port, usedBy, credential, addedBy, addedAt } = resource;
  cli.output.line(`${name}: ${entry} ${version}, at ${name}:${port}`);
  cli.output.line(`image: ${printable(image)}`);
  cli.output.line(`used by: ${usedBy.join(', ') || 'no service'}`);
  cli.output.line(`credentials: version ${credential}`);
  cli.output.line(`added by ${addedBy} ${ago(addedAt)}`);
  cli.output.line('');
  cli.output.table(
    resource.variables,
    [
      ['VARIABLE', (variable) => variable.name],
      ['VALUE', ({ value }) => (value === null ? '(secret)' : printable(value))],
    ],
    'It offers no variables.',
  );
}

async function removeResource(
  cli: Cli,
  name: string,
  options: Rolling & { data?: boolean; yes?: boolean },
): Promise<void> {
  const what = `${name} of ${projectName(cli, options.project)}.${options.env}`;
  const fate = options.data ? 'All that it holds is gone then.' : 'What it holds stays.';
  if (!(await confirmed(cli, `Remove ${what}? ${fate}`, options.yes)))
    return cli.output.note('Nothing was removed.');
  const query = options.data ? { data: true } : {};
  await rollOut(cli, options, ASKING, () =>
    cli.api.deleteFor(resourcePath(cli, name, options), Deployment, query),
  );
}
