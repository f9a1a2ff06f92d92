import { page, Role, ServiceAccount } from '@berth/contracts';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { confirmed } from '../prompt.js';

export function serviceAccountCommands(cli: Cli): Command {
  return family('service-account', 'Accounts for scripts that belong to a team', [
    command('create <team> <name>', 'Create one; the maintainers of the team make its tokens', [
      'service-account create acme acme-ci',
      'service-account create acme acme-dashboard --role viewer',
    ])
      .argument('<team>')
      .argument('<name>', 'a DNS label that no other user has')
      .addOption(new Option('--role <role>', 'what it may do').choices(Role.options).default('developer'))
      .action((team: string, name: string, options: Common & { role: Role }) =>
        create(cli, team, name, options),
      ),
    paged(command('ls <team>', 'List those of a team', ['service-account ls acme']))
      .argument('<team>')
      .action((team: string, options: Common & Paging) => list(cli, team, options)),
    command('rm <team> <name>', 'Remove one, with all its tokens', ['service-account rm acme acme-ci'])
      .argument('<team>')
      .argument('<name>')
      .option('-y, --yes', 'do not ask')
      .action((team: string, name: string, options: Common & { yes?: boolean }) =>
        remove(cli, team, name, options),
      ),
  ]);
}

async function create(
  cli: Cli,
  team: string,
  name: string,
  { json, role }: Common & { role: Role },
): Promise<void> {
  const account = await cli.api.post(path`/v1/teams/${team}/service-accounts`, ServiceAccount, {
    name,
    role,
  });
  if (json) return cli.output.json(account);
  cli.output.line(
    `Created ${account.name}, ${role} of ${account.team}. Give it a token: berth token create --user ${account.name}`,
  );
}

async function list(cli: Cli, team: string, options: Common & Paging): Promise<void> {
  const accounts = await cli.api.get(
    path`/v1/teams/${team}/service-accounts`,
    page(ServiceAccount),
    pageQuery(options),
  );
  if (options.json) return cli.output.json(accounts);
  cli.output.table(
    accounts.items,
    [
      ['NAME', ({ name }) => name],
      ['ROLE', ({ role }) => role ?? 'none'],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    `${team} has no service accounts.`,
  );
  tellOfMore(cli, accounts);
}

async function remove(
  cli: Cli,
  team: string,
  name: string,
  { json, yes }: Common & { yes?: boolean },
): Promise<void> {
  if (!(await confirmed(cli, `Remove ${name}, with all its tokens?`, yes))) {
    return cli.output.note('Nothing was removed.');
  }
  await cli.api.delete(path`/v1/teams/${team}/service-accounts/${name}`);
  if (json) return cli.output.json({ team, name });
  cli.output.line(`Removed ${name}; none of its tokens is known any more.`);
}
