import { Member, page, Role, Team } from '@berth/contracts';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { path } from '../http/path.js';
import { teamGroupCommands } from './team-groups.js';
import { ago } from '../output/text.js';

export function teamCommands(cli: Cli): Command {
  return family('team', 'Teams and their members', [
    command('create <name>', 'Create a team', ['team create acme'])
      .argument('<name>', 'a DNS label')
      .action((name: string, options: Common) => create(cli, name, options)),
    paged(command('ls', 'List your teams', ['team ls'])).action((options: Common & Paging) =>
      list(cli, options),
    ),
    command('add-member <team> <user>', 'Add a member, or change a role', [
      'team add-member acme mira --role maintainer',
    ])
      .argument('<team>')
      .argument('<user>')
      .addOption(new Option('--role <role>', 'what they may do').choices(Role.options).default('developer'))
      .action((team: string, user: string, options: Common & { role: Role }) =>
        addMember(cli, team, user, options),
      ),
    command('remove-member <team> <user>', 'Remove a member', ['team remove-member acme mira'])
      .argument('<team>')
      .argument('<user>')
      .action((team: string, user: string, options: Common) => removeMember(cli, team, user, options)),
    paged(command('members <team>', 'List the members of a team', ['team members acme']))
      .argument('<team>')
      .action((team: string, options: Common & Paging) => members(cli, team, options)),
    teamGroupCommands(cli),
  ]);
}

async function create(cli: Cli, name: string, options: Common): Promise<void> {
  const team = await cli.api.post('/v1/teams', Team, { name });
  if (options.json) return cli.output.json(team);
  cli.output.line(`Created team ${team.name}. Add members: berth team add-member ${team.name} <user>`);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const teams = await cli.api.get('/v1/teams', page(Team), pageQuery(options));
  if (options.json) return cli.output.json(teams);
  cli.output.table(
    teams.items,
    [
      ['NAME', ({ name }) => name],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    'No teams.',
  );
  tellOfMore(cli, teams);
}

async function addMember(
  cli: Cli,
  team: string,
  user: string,
  options: Common & { role: Role },
): Promise<void> {
  const member = await cli.api.put(path`/v1/teams/${team}/members/${user}`, Member, { role: options.role });
  if (options.json) return cli.output.json(member);
  cli.output.line(`${member.user} is ${member.role} of ${member.team}.`);
}

async function removeMember(cli: Cli, team: string, user: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/teams/${team}/members/${user}`);
  if (options.json) return cli.output.json({ team, user });
  cli.output.line(`${user} is no longer a member of ${team}.`);
}

async function members(cli: Cli, team: string, options: Common & Paging): Promise<void> {
  const found = await cli.api.get(path`/v1/teams/${team}/members`, page(Member), pageQuery(options));
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['USER', ({ user }) => user],
      ['ROLE', ({ role }) => role],
      ['BY', ({ source }) => (source === 'group' ? 'group' : 'hand')],
    ],
    `${team} has no members.`,
  );
  tellOfMore(cli, found);
}
