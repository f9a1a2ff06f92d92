import { Deployment } from '@berth/contracts';
import type { Command } from 'commander';
import { buildServices } from '../build/compose-builds.js';
import type { Cli } from '../cli.js';
import { command, inEnvironment, type InEnvironment } from '../command.js';
import { projectName, readComposeFile } from '../compose-file.js';
import { rollOut, type RolloutOptions } from '../deploy/rollout.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';

interface DeployOptions extends RolloutOptions, InEnvironment {
  file?: string;
}

export function deployCommands(cli: Cli): Command {
  return inEnvironment(
    command('deploy', 'Build and roll out a Compose file, and wait for the outcome', [
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
  try {
    const images = await buildServices(cli, file, project, (line) => cli.output.note(line));
    const body = { compose: file.text, ...(Object.keys(images).length > 0 ? { images } : {}) };
    const place = path`/v1/projects/${project}/environments/${options.env}/deployments`;
    await rollOut(cli, options, 'resolving images, asking policy and quota', () =>
      cli.api.post(place, Deployment, body),
    );
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'NOT_FOUND') throw error;
    throw error.withHint(
      `If it is new: berth project create ${project} --team <team>; berth env create ${options.env} --project ${project}`,
    );
  }
}
