import { IssuedToken, page, Token } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  collect,
  command,
  duration,
  family,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type Paging,
} from '../command.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';

interface CreateOptions extends Common {
  user?: string;
  name?: string;
  scope?: string[];
  expiresIn?: number;
}

export function tokenCommands(cli: Cli): Command {
  return family('token', 'Tokens of users and service accounts', [
    command('create', 'Issue a token; it is shown this once', [
      'token create --name laptop',
      'token create --user ci --scope "deployment.*" --scope read --expires-in 30d',
    ])
      .option('--user <name>', 'whose (default: yours)')
      .option('--name <text>', 'what it is for')
      .option(
        '--scope <scope>',
        '"*", "read", an action or "<family>.*"; may be repeated (default: *)',
        collect,
      )
      .option('--expires-in <time>', 'such as 12h or 30d (default: 90d)', duration)
      .action((options: CreateOptions) => create(cli, options)),
    paged(command('ls', 'List tokens', ['token ls', 'token ls --user ci']))
      .option('--user <name>', 'whose (default: yours)')
      .action((options: Common & Paging & { user?: string }) => list(cli, options)),
    command('revoke <id>', 'Revoke a token, from now on', ['token revoke 0190c5a2-…'])
      .argument('<id>', 'as `token ls` shows it')
      .action((id: string, options: Common) => revoke(cli, id, options)),
    command('show', 'Show the stored login, with its token', ['token show --json']).action(
      (options: Common) => show(cli, options),
    ),
  ]);
}

async function create(cli: Cli, options: CreateOptions): Promise<void> {
  const body = {
    user: options.user,
    name: options.name,
    scopes: options.scope,
    expiresInSeconds: options.expiresIn,
  };
  // The gateway keeps no secret, so it could not answer a repeated request with the same token.
  const issued = await cli.api.post('/v1/tokens', IssuedToken, body, { repeatable: false });
  if (options.json) return cli.output.json(issued);
  cli.output.line(issued.token);
  cli.output.note(
    `Token ${issued.id} of ${issued.user}, expires ${issued.expiresAt ?? 'never'}. It is not shown again.`,
  );
}

async function list(cli: Cli, options: Common & Paging & { user?: string }): Promise<void> {
  const tokens = await cli.api.get('/v1/tokens', page(Token), { ...pageQuery(options), user: options.user });
  if (options.json) return cli.output.json(tokens);
  cli.output.table(
    tokens.items,
    [
      ['ID', ({ id }) => id],
      ['USER', ({ user }) => user],
      ['NAME', ({ name }) => name],
      ['SCOPES', ({ scopes }) => scopes.join(',')],
      ['STATE', stateOf],
      ['EXPIRES', ({ expiresAt }) => expiresAt ?? 'never'],
    ],
    'No tokens.',
  );
  tellOfMore(cli, tokens);
}

function stateOf({ revokedAt, expiresAt }: Token): string {
  if (revokedAt) return 'revoked';
  return expiresAt && Date.parse(expiresAt) <= Date.now() ? 'expired' : 'valid';
}

async function revoke(cli: Cli, id: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/tokens/${id}`);
  if (options.json) return cli.output.json({ id });
  cli.output.line(`Revoked ${id}.`);
}

async function show(cli: Cli, options: Common): Promise<void> {
  const { url, token, registry } = cli.target;
  if (!token) {
    throw new CliError(
      'NOT_LOGGED_IN',
      `there is no token for ${url}`,
      EXIT.unauthenticated,
      'Run `berth login`.',
    );
  }
  if (options.json) return cli.output.json({ url, token, registry });
  cli.output.facts({ url, token, registry });
}
