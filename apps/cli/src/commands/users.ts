import { page, User } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { ago } from '../output/text.js';

export function userCommands(cli: Cli): Command {
  return family('user', 'People and service accounts', [
    command('create <name>', 'Create a user', ['user create mira', 'user create ci --service'])
      .argument('<name>', 'a DNS label')
      .option('--service', 'a service account, for scripts')
      .option('--admin', 'may do everything on the platform')
      .action((name: string, options: Common & { service?: boolean; admin?: boolean }) =>
        create(cli, name, options),
      ),
    paged(command('ls', 'List users', ['user ls'])).action((options: Common & Paging) => list(cli, options)),
  ]);
}

async function create(
  cli: Cli,
  name: string,
  options: Common & { service?: boolean; admin?: boolean },
): Promise<void> {
  const body = { name, kind: options.service ? 'service' : 'user', admin: options.admin ?? false };
  const user = await cli.api.post('/v1/users', User, body);
  if (options.json) return cli.output.json(user);
  cli.output.line(
    `Created ${user.kind} ${user.name}. Give it a token: berth token create --user ${user.name}`,
  );
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const users = await cli.api.get('/v1/users', page(User), pageQuery(options));
  if (options.json) return cli.output.json(users);
  cli.output.table(
    users.items,
    [
      ['NAME', ({ name }) => name],
      ['KIND', ({ kind }) => kind],
      ['ADMIN', ({ admin }) => (admin ? 'yes' : 'no')],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    'No users.',
  );
  tellOfMore(cli, users);
}
