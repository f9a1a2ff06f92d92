import { Deployment, isFinished, page, Release } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  inEnvironment,
  inProject,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type InEnvironment,
  type InProject,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { followDeployment } from '../deploy/follow.js';
import { tellOutcome } from '../deploy/outcome.js';
import { StepPrinter } from '../deploy/steps.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago, elapsed, shortDigest } from '../output/text.js';

interface DeploymentsOptions extends Common, InProject, Paging {
  env?: string;
  follow?: boolean;
}

export function deploymentCommands(cli: Cli): Command[] {
  const deployments = paged(
    inProject(
      command('deployments [id]', 'List deployments, or show one', [
        'deployments --env dev',
        'deployments 0190c5a2-… --follow',
      ]),
    ),
  )
    .argument('[id]', 'show this one')
    .option('-e, --env <name>', 'the environment whose deployments to list')
    .option('--follow', 'with an id: wait for its outcome')
    .action((id: string | undefined, options: DeploymentsOptions) =>
      id ? showDeployment(cli, id, options) : listDeployments(cli, options),
    );
  const releases = paged(
    inEnvironment(command('releases', 'List what was deployed, image by image', ['releases --env dev'])),
  ).action((options: Common & InEnvironment & Paging) => listReleases(cli, options));
  const cancel = command('cancel <id>', 'Cancel a deployment under way', ['cancel 0190c5a2-…'])
    .argument('<id>', 'as `deployments` shows it')
    .action((id: string, options: Common) => cancelDeployment(cli, id, options));
  return [releases, deployments, cancel];
}

async function listDeployments(cli: Cli, options: DeploymentsOptions): Promise<void> {
  if (!options.env) throw CliError.usage('say whose deployments: --env <name>, or the id of one');
  const project = projectName(cli, options.project);
  const place = path`/v1/projects/${project}/environments/${options.env}/deployments`;
  const deployments = await cli.api.get(place, page(Deployment), pageQuery(options));
  if (options.json) return cli.output.json(deployments);
  cli.output.table(
    deployments.items,
    [
      ['ID', ({ id }) => id],
      ['CAUSE', ({ cause }) => cause],
      ['STATUS', ({ status }) => status],
      ['RELEASE', ({ release }) => shortDigest(release)],
      ['BY', ({ createdBy }) => createdBy],
      ['STARTED', ({ createdAt }) => ago(createdAt)],
      ['TOOK', ({ createdAt, finishedAt }) => elapsed(createdAt, finishedAt)],
      ['REASON', ({ reason }) => reason?.split('\n', 1)[0]],
    ],
    `Nothing was deployed to ${project}.${options.env}.`,
  );
  tellOfMore(cli, deployments);
}

async function showDeployment(cli: Cli, id: string, options: DeploymentsOptions): Promise<void> {
  let deployment = await cli.api.get(path`/v1/deployments/${id}`, Deployment);
  const steps = new StepPrinter(cli.output, options.json ? cli.output.stderr : cli.output.stdout);
  try {
    if (!options.json || options.follow) steps.show(deployment);
    if (options.follow && !isFinished(deployment.status)) {
      for await (deployment of followDeployment(cli.api, id)) steps.show(deployment);
    }
  } finally {
    steps.stop();
  }
  if (options.follow) return tellOutcome(cli, deployment, options.json ?? false);
  if (options.json) return cli.output.json(deployment);
  cli.output.facts({
    deployment: deployment.id,
    environment: `${deployment.project}.${deployment.environment}`,
    cause: deployment.cause,
    release: deployment.release,
    status: deployment.status,
    reason: deployment.reason,
    by: deployment.createdBy,
    started: deployment.createdAt,
    finished: deployment.finishedAt,
  });
}

async function listReleases(cli: Cli, options: Common & InEnvironment & Paging): Promise<void> {
  const project = projectName(cli, options.project);
  const place = path`/v1/projects/${project}/environments/${options.env}/releases`;
  const releases = await cli.api.get(place, page(Release), pageQuery(options));
  if (options.json) return cli.output.json(releases);
  const rows = releases.items.flatMap((release) => release.services.map((service) => ({ release, service })));
  cli.output.table(
    rows,
    [
      ['RELEASE', ({ release }) => shortDigest(release.digest)],
      ['NOW', ({ release }) => (release.current ? 'runs' : '')],
      ['SERVICE', ({ service }) => service.name],
      ['IMAGE', ({ service }) => service.image],
      ['DIGEST', ({ service }) => shortDigest(service.digest)],
      ['BY', ({ release }) => release.createdBy],
      ['CREATED', ({ release }) => ago(release.createdAt)],
    ],
    `${project}.${options.env} has no releases.`,
  );
  tellOfMore(cli, releases);
}

async function cancelDeployment(cli: Cli, id: string, options: Common): Promise<void> {
  const deployment = await cli.api.post(path`/v1/deployments/${id}/cancel`, Deployment, {});
  if (options.json) return cli.output.json(deployment);
  cli.output.line(`Cancelling ${id}; it is ${deployment.status} now.`);
}
