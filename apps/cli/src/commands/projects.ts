import { page, Principal, Project } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';

export function projectCommands(cli: Cli): Command {
  return family('project', 'Projects', [
    command('create <name>', 'Create a project', ['project create shop --team acme'])
      .argument('<name>', 'a DNS label')
      .option('--team <name>', 'who owns it (default: your team, if you have just one)')
      .action((name: string, options: Common & { team?: string }) => create(cli, name, options)),
    paged(command('ls', 'List your projects', ['project ls', 'project ls --team acme']))
      .option('--team <name>', 'of this team only')
      .action((options: Common & Paging & { team?: string }) => list(cli, options)),
    command('rm <name>', 'Remove a project that has no environments', ['project rm shop'])
      .argument('<name>')
      .action((name: string, options: Common) => remove(cli, name, options)),
  ]);
}

async function create(cli: Cli, name: string, options: Common & { team?: string }): Promise<void> {
  const team = options.team ?? (await onlyTeam(cli));
  const project = await cli.api.post('/v1/projects', Project, { name, team });
  if (options.json) return cli.output.json(project);
  cli.output.line(`Created project ${project.name} of team ${project.team}.`);
  cli.output.note(`Next: berth env create dev --project ${project.name}`);
}

async function onlyTeam(cli: Cli): Promise<string> {
  const { teams } = await cli.api.get('/v1/whoami', Principal);
  if (teams.length === 1) return teams[0].team;
  throw CliError.usage(
    teams.length ? 'you are in several teams' : 'you are in no team',
    `Say who owns it: --team <name>${teams.length ? ` (${teams.map(({ team }) => team).join(', ')})` : ''}.`,
  );
}

async function list(cli: Cli, options: Common & Paging & { team?: string }): Promise<void> {
  const projects = await cli.api.get('/v1/projects', page(Project), {
    ...pageQuery(options),
    team: options.team,
  });
  if (options.json) return cli.output.json(projects);
  cli.output.table(
    projects.items,
    [
      ['NAME', ({ name }) => name],
      ['TEAM', ({ team }) => team],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    'No projects. Create one: berth project create <name> --team <team>',
  );
  tellOfMore(cli, projects);
}

async function remove(cli: Cli, name: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/projects/${name}`);
  if (options.json) return cli.output.json({ name });
  cli.output.line(`Removed project ${name}.`);
}
