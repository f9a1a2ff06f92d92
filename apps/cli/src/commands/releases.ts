import { ChangedEnvironment, Deployment } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, inEnvironment, inProject, whole, type InEnvironment, type InProject } from '../command.js';
import { projectName } from '../compose-file.js';
import { rollOut, type RolloutOptions } from '../deploy/rollout.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';

const ASKING = 'asking policy and quota';

/** Releases on their way between environments and back, and changes to services that run. */
export function releaseCommands(cli: Cli): Command[] {
  const promote = inProject(
    command('promote <from> <to>', 'Roll out the very release of one environment in another', [
      'promote dev prod',
      'promote staging prod --project shop --json',
    ]),
  )
    .argument('<from>', 'the environment whose release is taken')
    .argument('<to>', 'the environment that gets it')
    .action((from: string, to: string, options: RolloutOptions & InProject) => {
      const project = projectName(cli, options.project);
      const place = path`/v1/projects/${project}/environments/${to}/promotions`;
      return rollOut(cli, options, ASKING, () => cli.api.post(place, Deployment, { from }));
    });
  const rollback = inEnvironment(
    command('rollback [release]', 'Roll out a release that ran before', [
      'rollback --env prod',
      'rollback f3807a937b46 --env prod',
    ]),
  )
    .argument('[release]', 'its first digits, as `releases` shows them (default: the one before)')
    .action((release: string | undefined, options: RolloutOptions & InEnvironment) => {
      const project = projectName(cli, options.project);
      const place = path`/v1/projects/${project}/environments/${options.env}/rollbacks`;
      const body = release === undefined ? {} : { release };
      return rollOut(cli, options, ASKING, () => cli.api.post(place, Deployment, body));
    });
  const scale = inEnvironment(
    command('scale <service=n>', 'Change how many instances of a service run', [
      'scale web=3 --env prod',
      'scale worker=0 --env dev',
    ]),
  )
    .argument('<service=n>', 'the service and its instances')
    .action((text: string, options: RolloutOptions & InEnvironment) => {
      const { service, replicas } = readScale(text);
      const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
      return rollOut(cli, options, ASKING, async () =>
        deploymentOf(
          await cli.api.put(`${place}${path`/services/${service}/scale`}`, ChangedEnvironment, { replicas }),
        ),
      );
    });
  const stop = inEnvironment(
    command('stop <service>', 'Stop all instances of a service; its volumes stay', ['stop worker --env dev']),
  )
    .argument('<service>')
    .action(async (service: string, options: RolloutOptions & InEnvironment) => {
      const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
      await rollOut(cli, options, ASKING, async () =>
        deploymentOf(
          await cli.api.post(`${place}${path`/services/${service}/stop`}`, ChangedEnvironment, {}),
        ),
      );
      if (!options.json) cli.output.note(`To start it again: berth scale ${service}=1 --env ${options.env}`);
    });
  const restart = inEnvironment(
    command('restart <service>', 'Replace the instances of a service by new ones, without a gap', [
      'restart web --env prod',
    ]),
  )
    .argument('<service>')
    .action((service: string, options: RolloutOptions & InEnvironment) => {
      const place = path`/v1/projects/${projectName(cli, options.project)}/environments/${options.env}`;
      return rollOut(cli, options, ASKING, async () =>
        deploymentOf(
          await cli.api.post(`${place}${path`/services/${service}/restart`}`, ChangedEnvironment, {}),
        ),
      );
    });
  return [promote, rollback, scale, stop, restart].map((member) =>
    member.option('-d, --detach', 'return as soon as it is accepted'),
  );
}

const instances = whole(0, 1_000);

function readScale(text: string): { service: string; replicas: number } {
  const split = text.indexOf('=');
  if (split < 1) throw CliError.usage(`"${text}": it must be SERVICE=NUMBER, such as web=3`);
  return { service: text.slice(0, split), replicas: instances(text.slice(split + 1)) };
}

function deploymentOf({ project, name, deployment }: ChangedEnvironment): Deployment {
  if (deployment) return deployment;
  throw CliError.usage(`nothing runs in ${project}.${name}`);
}
