import { Principal } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, type Common } from '../command.js';
import {
  credentialsPath,
  DEFAULT_URL,
  readCredentials,
  writeCredentials,
  type Credentials,
} from '../credentials.js';
import { hasIdentityProvider, logInByDevice } from '../device-login.js';
import { CliError } from '../errors.js';
import { Api } from '../http/api.js';
import { askSecret } from '../prompt.js';

interface LoginOptions extends Common {
  url?: string;
  registry?: string;
  oidc?: boolean;
  token?: boolean;
  tokenStdin?: boolean;
}

export function loginCommands(cli: Cli): Command[] {
  return [
    command('login', 'Log in, and store the token for later commands', [
      'login',
      'login --url https://berth.example.com --oidc',
      'login --url https://berth.example.com --token-stdin < token.txt',
    ])
      .option('--url <url>', `the gateway (default: BERTH_URL, the stored one, or ${DEFAULT_URL})`)
      .option('--registry <host:port>', 'the registry (default: port 4401 of the same host)')
      .option('--oidc', 'by the identity provider (default where the platform has one and a person asks)')
      .option('--token', 'ask for a token, even where there is an identity provider')
      .option('--token-stdin', 'read the token from standard input without asking')
      .action((options: LoginOptions) => login(cli, options)),
    command('whoami', 'Show who the token stands for', ['whoami', 'whoami --json']).action(
      (options: Common) => whoami(cli, options),
    ),
  ];
}

async function login(cli: Cli, options: LoginOptions): Promise<void> {
  const path = credentialsPath(cli.environment);
  const stored = storedOrNull(path);
  const url = (options.url ?? cli.environment.url ?? stored?.url ?? DEFAULT_URL).replace(/\/+$/, '');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw CliError.usage(`"${url}" is no http or https URL`);
  }
  if ([options.oidc, options.token, options.tokenStdin].filter(Boolean).length > 1) {
    throw CliError.usage('--oidc, --token and --token-stdin exclude each other');
  }
  const token = await obtainToken(cli, url, options);
  const principal = await new Api({ url, token, registry: null }).get('/v1/whoami', Principal);
  const registry = options.registry ?? (stored?.url === url ? stored.registry : null) ?? registryBeside(url);
  const credentials: Credentials = { url, token, registry };
  writeCredentials(path, cli.environment.configFolder, credentials);
  if (options.json) return cli.output.json({ url, registry, user: principal.user, path });
  cli.output.line(
    `Logged in to ${url} as ${principal.user}${principal.admin ? ' (admin)' : ''}; stored in ${path}.`,
  );
}

async function obtainToken(cli: Cli, url: string, options: LoginOptions): Promise<string> {
  const anybody = new Api({ url, token: null, registry: null });
  const personAsks = cli.interactive && !options.token && !options.tokenStdin;
  if (options.oidc || (personAsks && (await hasIdentityProvider(anybody)))) {
    return (await logInByDevice(cli, anybody)).token;
  }
  const asked = !options.tokenStdin && cli.interactive;
  const token = (asked ? await askSecret(cli, `Token for ${url}: `) : await cli.readStdin()).trim();
  if (token) return token;
  throw CliError.usage('no token was given', 'Paste it when asked, or pipe it: `berth login < token.txt`.');
}

/** A broken or exposed file is about to be replaced: no reason to stop. */
function storedOrNull(path: string): Credentials | null {
  try {
    return readCredentials(path);
  } catch {
    return null;
  }
}

function registryBeside(url: string): string {
  return `${new URL(url).hostname}:4401`;
}

async function whoami(cli: Cli, options: Common): Promise<void> {
  const principal = await cli.api.get('/v1/whoami', Principal);
  if (options.json) return cli.output.json(principal);
  cli.output.facts({
    user: principal.user,
    kind: principal.kind,
    admin: principal.admin ? 'yes' : 'no',
    teams: principal.teams.map(({ team, role }) => `${team} (${role})`).join(', ') || '-',
    scopes: principal.scopes.join(', '),
    expires: principal.expiresAt ?? 'never',
    gateway: cli.target.url,
  });
}
