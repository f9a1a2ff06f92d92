import { BuiltImage, CONTEXT_MEDIA_TYPE, Problem, type BuildOptions } from '@berth/contracts';
import { z } from 'zod';
import type { Cli } from '../cli.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';
import { printable } from '../output/text.js';
import { packContext } from './context.js';

export interface WantedBuild extends Partial<BuildOptions> {
  project: string;
  /** As an absolute path. */
  folder: string;
}

const Log = z.object({ text: z.string() });

/** Sends a folder, tells what the build says, and answers the image. */
export async function runBuild(
  cli: Cli,
  { project, folder, ...options }: WantedBuild,
  log: (line: string) => void,
): Promise<BuiltImage> {
  const context = packContext(folder, options.dockerfile ?? 'Dockerfile');
  const place = path`/v1/projects/${project}/builds`;
  for await (const { event, data } of cli.api.upload(place, options, context, CONTEXT_MEDIA_TYPE)) {
    const told: unknown = JSON.parse(data);
    if (event === 'log')
      Log.parse(told)
        .text.trimEnd()
        .split('\n')
        .forEach((line) => log(printable(line)));
    if (event === 'built') return BuiltImage.parse(told);
    if (event === 'error') throw CliError.fromProblem(Problem.parse(told));
  }
  throw new CliError(
    'UNREACHABLE',
    'the connection ended before the build did',
    EXIT.unavailable,
    'Build again.',
  );
}
