import { page, Service, type Deployment } from '@berth/contracts';
import type { Cli } from '../cli.js';
import { CliError, EXIT, type CliCode } from '../errors.js';
import { path } from '../http/path.js';
import { elapsed, printable, shortDigest } from '../output/text.js';

/** Says how it ended, for people; throws when it did not succeed. */
export async function tellOutcome(cli: Cli, deployment: Deployment, json: boolean): Promise<void> {
  const { project, environment, release, createdAt, finishedAt } = deployment;
  if (json) cli.output.json(deployment);
  if (deployment.status !== 'succeeded') throw failureOf(deployment);
  if (json) return;
  const time = elapsed(createdAt, finishedAt);
  const what = `${project}.${environment} runs release ${shortDigest(release)}`;
  cli.output.line(`${cli.output.paint('green', 'succeeded')}: ${what}, after ${time}`);
  await tellUrls(cli, deployment);
}

async function tellUrls(cli: Cli, { project, environment }: Deployment): Promise<void> {
  const services = await cli.api.get(
    path`/v1/projects/${project}/environments/${environment}/services`,
    page(Service),
  );
  for (const { name, url: wayIn, ports } of services.items) {
    if (wayIn) cli.output.line(`  ${name}  ${printable(wayIn)}`);
    for (const { url } of ports) if (url) cli.output.line(`  ${name}  ${printable(url)}`);
  }
}

/** The error that a finished deployment stands for. */
function failureOf({ id, project, environment, status, reason }: Deployment): CliError {
  const detail = reason ?? 'no reason was given';
  const place = `--env ${environment} --project ${project}`;
  switch (status) {
    case 'denied':
      return new CliError(
        'POLICY_DENIED',
        `deployment ${id} was denied and undone: ${detail}`,
        EXIT.denied,
        null,
      );
    case 'cancelled':
      return new CliError(
        'DEPLOYMENT_CANCELLED',
        `deployment ${id} was cancelled: ${detail}`,
        EXIT.failed,
        null,
      );
    default:
      return new CliError(
        'DEPLOYMENT_FAILED' satisfies CliCode,
        `deployment ${id}: ${detail}`,
        EXIT.failed,
        `What runs now: berth status ${place}. What it wrote: berth logs ${place}`,
      );
  }
}
