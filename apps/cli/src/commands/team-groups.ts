import { page, Role, TeamGroup } from '@berth/contracts';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { path } from '../http/path.js';

export function teamGroupCommands(cli: Cli): Command {
  return family('group', 'Groups of the identity provider whose people are in a team', [
    command('set <team> <group>', 'Let the people of a group be in a team, at once', [
      'team group set acme engineering',
      'team group set acme leads --role maintainer',
    ])
      .argument('<team>')
      .argument('<group>', 'as the identity provider names it')
      .addOption(new Option('--role <role>', 'what they may do').choices(Role.options).default('developer'))
      .action((team: string, group: string, options: Common & { role: Role }) =>
        set(cli, team, group, options),
      ),
    command('rm <team> <group>', 'Have them in the team no longer, unless added by hand', [
      'team group rm acme engineering',
    ])
      .argument('<team>')
      .argument('<group>')
      .action((team: string, group: string, options: Common) => remove(cli, team, group, options)),
    paged(command('ls <team>', 'List the groups of a team', ['team group ls acme']))
      .argument('<team>')
      .action((team: string, options: Common & Paging) => list(cli, team, options)),
  ]);
}

async function set(cli: Cli, team: string, group: string, options: Common & { role: Role }): Promise<void> {
  const { role } = options;
  const mapped = await cli.api.put(path`/v1/teams/${team}/groups/${group}`, TeamGroup, { role });
  if (options.json) return cli.output.json(mapped);
  cli.output.line(`Whoever is in the group "${mapped.group}" is ${mapped.role} of ${mapped.team}.`);
}

async function remove(cli: Cli, team: string, group: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/teams/${team}/groups/${group}`);
  if (options.json) return cli.output.json({ team, group });
  cli.output.line(`The group "${group}" is no longer in ${team}.`);
}

async function list(cli: Cli, team: string, options: Common & Paging): Promise<void> {
  const groups = await cli.api.get(path`/v1/teams/${team}/groups`, page(TeamGroup), pageQuery(options));
  if (options.json) return cli.output.json(groups);
  cli.output.table(
    groups.items,
    [
      ['GROUP', ({ group }) => group],
      ['ROLE', ({ role }) => role],
    ],
    `No group is in ${team}.`,
  );
  tellOfMore(cli, groups);
}
