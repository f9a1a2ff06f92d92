import { page, User, UserIdentity } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { confirmed } from '../prompt.js';

export function userCommands(cli: Cli): Command {
  return family('user', 'People and service accounts', [
    command('create <name>', 'Create a user', ['user create mira', 'user create ci --service'])
      .argument('<name>', 'a DNS label')
      .option('--service', 'a service account, for scripts')
      .option('--admin', 'may do everything on the platform')
      .action((name: string, options: Common & { service?: boolean; admin?: boolean }) =>
        create(cli, name, options),
      ),
    command('link <user>', 'Say who a user is at the identity provider', [
      'user link mira --subject 00u1a2b3c4',
      'user link mira --subject 00u1a2b3c4 --issuer https://id.example.com',
    ])
      .argument('<user>')
      .requiredOption('--subject <sub>', 'as a refused login shows it')
      .option('--issuer <url>', "(default: the platform's identity provider)")
      .action((user: string, options: Common & { subject: string; issuer?: string }) =>
        link(cli, user, options),
      ),
    command('rm <user>', 'Remove a user, with all their tokens and memberships', ['user rm mira'])
      .argument('<user>')
      .option('-y, --yes', 'do not ask')
      .action((user: string, options: Common & { yes?: boolean }) => remove(cli, user, options)),
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

async function link(
  cli: Cli,
  user: string,
  { json, subject, issuer }: Common & { subject: string; issuer?: string },
): Promise<void> {
  const identity = await cli.api.post(path`/v1/users/${user}/identities`, UserIdentity, { subject, issuer });
  if (json) return cli.output.json(identity);
  cli.output.line(`${identity.user} may log in as "${identity.subject}" of ${identity.issuer}.`);
}

async function remove(cli: Cli, user: string, { json, yes }: Common & { yes?: boolean }): Promise<void> {
  if (!(await confirmed(cli, `Remove ${user}, with all their tokens and memberships?`, yes))) {
    return cli.output.note('Nothing was removed.');
  }
  await cli.api.delete(path`/v1/users/${user}`);
  if (json) return cli.output.json({ name: user });
  cli.output.line(`Removed ${user}; none of their tokens is known any more.`);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const users = await cli.api.get('/v1/users', page(User), pageQuery(options));
  if (options.json) return cli.output.json(users);
  cli.output.table(
    users.items,
    [
      ['NAME', ({ name }) => name],
      ['KIND', ({ kind }) => kind],
      ['TEAM', ({ team }) => team ?? '-'],
      ['ADMIN', ({ admin }) => (admin ? 'yes' : 'no')],
      ['CREATED', ({ createdAt }) => ago(createdAt)],
    ],
    'No users.',
  );
  tellOfMore(cli, users);
}
