import type { Command } from 'commander';
import { runBuild } from '../build/run-build.js';
import type { Cli } from '../cli.js';
import { collect, command, inProject, type Common, type InProject } from '../command.js';
import { projectName } from '../compose-file.js';
import { formatBytes } from '@berth/contracts';

interface BuildCommandOptions extends Common, InProject {
  name?: string;
  tag: string;
  file: string;
  target?: string;
  buildArg?: string[];
  cache: boolean;
}

export function buildCommand(cli: Cli): Command {
  return inProject(
    command('build [folder]', 'Build an image from a Dockerfile, into the registry', [
      'image build',
      'image build ./web --project shop --name web --tag v1',
      'image build . -f docker/Dockerfile --target release --build-arg VERSION=3',
      'image build --json',
    ]),
  )
    .argument('[folder]', 'the context: what the Dockerfile may copy from', '.')
    .option('-n, --name <name>', 'of the image within the project: <team>/<project>/<name>')
    .option('-t, --tag <tag>', 'its tag', 'latest')
    .option('-f, --file <path>', 'the Dockerfile, by its path in the folder', 'Dockerfile')
    .option('--target <stage>', 'the stage that is wanted (default: the last)')
    .option('--build-arg <NAME=value>', 'an argument; can be given several times', collect)
    .option('--no-cache', 'use no layer of an earlier build')
    .action((folder: string, options: BuildCommandOptions) => build(cli, folder, options));
}

async function build(cli: Cli, folder: string, options: BuildCommandOptions): Promise<void> {
  const { name, tag, file: dockerfile, target, buildArg: arg, cache } = options;
  const project = projectName(cli, options.project);
  const wanted = { project, folder: cli.resolve(folder), name, tag, dockerfile, target, arg, cache };
  const image = await runBuild(cli, wanted, (line) => cli.output.note(line));
  if (options.json) return cli.output.json(image);
  const { repository, digest, size, reference } = image;
  cli.output.facts({ image: `${repository}:${tag}`, digest, size: formatBytes(size), reference });
}
