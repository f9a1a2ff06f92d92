import { Deployment } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, inEnvironment, type Common, type InEnvironment } from '../command.js';
import { projectName, readComposeFile } from '../compose-file.js';
import { followDeployment } from '../deploy/follow.js';
import { tellOutcome } from '../deploy/outcome.js';
import { StepPrinter } from '../deploy/steps.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';

interface DeployOptions extends Common, InEnvironment {
  file?: string;
  detach?: boolean;
}

export function deployCommands(cli: Cli): Command {
  return inEnvironment(
    command('deploy', 'Roll out a Compose file and wait for the outcome', [
      'deploy -f compose.yaml --env dev',
      'deploy --env prod --project shop --json | tail -n 1',
      'deploy -f - --env dev --project shop < generated.yaml',
    ]),
  )
    .option('-f, --file <path>', 'the Compose file, - for standard input (default: compose.yaml here)')
    .option('-d, --detach', 'return as soon as it is accepted')
    .action((options: DeployOptions) => deploy(cli, options));
}

async function deploy(cli: Cli, options: DeployOptions): Promise<void> {
  const file = await readComposeFile(cli, options.file);
  const project = projectName(cli, options.project, file);
  // With --json stdout is for the deployment; the steps are shown to whoever watches.
  const steps = new StepPrinter(cli.output, options.json ? cli.output.stderr : cli.output.stdout);
  let forget = (): void => undefined;
  try {
    steps.waiting('resolving images, asking policy and quota');
    const accepted = await create(cli, project, options.env, file.text);
    // Before a word of it is shown: whoever reads it may leave at once.
    forget = onInterrupt(cli, steps, accepted);
    steps.show(accepted);
    if (options.detach) return tellAccepted(cli, accepted, options);
    let last = accepted;
    for await (last of followDeployment(cli.api, accepted.id)) steps.show(last);
    steps.stop();
    await tellOutcome(cli, last, options.json ?? false);
  } finally {
    forget();
    steps.stop();
  }
}

/** As a shell has it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** Whoever stops watching has not stopped the deployment: says so. Answers what undoes it. */
function onInterrupt(cli: Cli, steps: StepPrinter, { id }: Deployment): () => void {
  const leave = (): void => {
    steps.stop();
    cli.output.note(
      `The deployment goes on. See it: berth deployments ${id} --follow. End it: berth cancel ${id}`,
    );
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', leave);
  return () => process.off('SIGINT', leave);
}

async function create(cli: Cli, project: string, env: string, compose: string): Promise<Deployment> {
  try {
    const place = path`/v1/projects/${project}/environments/${env}/deployments`;
    return await cli.api.post(place, Deployment, { compose });
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'NOT_FOUND') throw error;
    throw error.withHint(
      `If it is new: berth project create ${project} --team <team>; berth env create ${env} --project ${project}`,
    );
  }
}

function tellAccepted(cli: Cli, deployment: Deployment, options: Common): void {
  if (options.json) return cli.output.json(deployment);
  cli.output.line(`Accepted as ${deployment.id}. Follow it: berth deployments ${deployment.id} --follow`);
}
