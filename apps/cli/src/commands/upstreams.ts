import { CheckedUpstream, page, Upstream } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { CliError, EXIT } from '../errors.js';
import { readStdin } from '../files.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { askSecret, confirmed } from '../prompt.js';

interface AddOptions extends Common {
  username?: string;
  passwordStdin?: boolean;
  tokenHost: string[];
}
interface RemoveOptions extends Common {
  yes?: boolean;
}

export function upstreamCommands(cli: Cli): Command {
  return family('upstream', 'Registries that images are pulled through from', [
    paged(command('ls', 'List them', ['upstream ls'])).action((options: Common & Paging) =>
      list(cli, options),
    ),
    command('add <name> <url>', 'Add one, or change how it is reached', [
      'upstream add quay.io https://quay.io',
      'upstream add ghcr.io https://ghcr.io --username me --password-stdin < token.txt',
    ])
      .argument('<name>', 'what its images begin with: a host with a dot, such as quay.io')
      .argument('<url>', 'where its /v2/ is')
      .option('--username <name>', 'as whom; the password is asked for')
      .option('--password-stdin', 'read the password from stdin')
      .option(
        '--token-host <host>',
        'another host that may have the credentials, as it hands out the tokens (may be repeated)',
        (host: string, hosts: string[]) => [...hosts, host],
        [] as string[],
      )
      .action((name: string, url: string, options: AddOptions) => add(cli, name, url, options)),
    command('check <name>', 'Ask whether it answers, and takes the credentials', ['upstream check quay.io'])
      .argument('<name>')
      .action((name: string, options: Common) => check(cli, name, options)),
    command('rm <name>', 'Pull no more images through from it', ['upstream rm quay.io'])
      .argument('<name>')
      .option('-y, --yes', 'do not ask')
      .action((name: string, options: RemoveOptions) => remove(cli, name, options)),
  ]);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const found = await cli.api.get('/v1/upstreams', page(Upstream), pageQuery(options));
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['NAME', ({ name }) => name],
      ['URL', ({ url }) => url],
      ['CREDENTIALS', ({ credentials }) => (credentials ? 'yes' : 'no')],
      ['RATE LEFT', ({ rate }) => (rate === null ? '-' : `${rate.remaining} of ${rate.limit}`)],
      [
        'SET',
        ({ fixed, setAt, setBy }) => (fixed ? 'by BERTH_UPSTREAMS' : `${ago(setAt ?? '')} by ${setBy}`),
      ],
    ],
    'There are none. Add one: berth upstream add docker.io https://registry-1.docker.io',
  );
  tellOfMore(cli, found);
}

async function add(cli: Cli, name: string, url: string, options: AddOptions): Promise<void> {
  const { username, tokenHost: tokenHosts } = options;
  if (options.passwordStdin && username === undefined)
    throw CliError.usage('--password-stdin goes with --username', 'Say whose password it is.');
  const password = username === undefined ? undefined : await readPassword(cli, name, options);
  const set = await cli.api.put(path`/v1/upstreams/${name}`, Upstream, {
    url,
    username,
    password,
    tokenHosts,
  });
  const checked = await ask(cli, name);
  if (options.json) return cli.output.json({ ...set, check: checked });
  cli.output.line(`Images of ${set.name} are pulled through from ${set.url}.`);
  tell(cli, checked);
}

async function readPassword(cli: Cli, name: string, { passwordStdin }: AddOptions): Promise<string> {
  if (!passwordStdin && cli.interactive) return askSecret(cli, `Password for ${name}: `);
  if (!passwordStdin) throw CliError.usage('nobody can be asked for the password', 'Use --password-stdin.');
  const password = (await readStdin(cli)).toString('utf8').replace(/\r?\n$/, '');
  if (password === '') throw CliError.usage('the password is empty; nothing was set');
  return password;
}

async function check(cli: Cli, name: string, { json }: Common): Promise<void> {
  const checked = await ask(cli, name);
  if (json) return cli.output.json(checked);
  tell(cli, checked);
}

async function ask(cli: Cli, name: string): Promise<CheckedUpstream> {
  const checked = await cli.api.post(path`/v1/upstreams/${name}/check`, CheckedUpstream, {});
  if (!checked.answers) cli.exitCode = EXIT.failed;
  return checked;
}

function tell(cli: Cli, { name, answers, reason, milliseconds }: CheckedUpstream): void {
  if (answers) cli.output.line(`${name} answers, in ${milliseconds} ms.`);
  else cli.output.line(`It does not answer as it should: ${reason}.`);
}

async function remove(cli: Cli, name: string, { yes, json }: RemoveOptions): Promise<void> {
  const question = `Remove the upstream ${name}? What runs an image of it cannot be started elsewhere any more.`;
  if (!(await confirmed(cli, question, yes))) return cli.output.note('Nothing was removed.');
  await cli.api.delete(path`/v1/upstreams/${name}`);
  if (json) return cli.output.json({ name });
  cli.output.line(`Removed the upstream ${name}.`);
}
