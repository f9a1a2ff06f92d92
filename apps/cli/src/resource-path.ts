import type { Cli } from './cli.js';
import type { InEnvironment } from './command.js';
import { projectName } from './compose-file.js';
import { path } from './http/path.js';

/** Where a resource of an environment is. */
export function resourcePath(cli: Cli, name: string, { project, env }: InEnvironment): string {
  return path`/v1/projects/${projectName(cli, project)}/environments/${env}/resources/${name}`;
}
