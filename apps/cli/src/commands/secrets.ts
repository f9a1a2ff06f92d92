import { ChangedSecret, page, Secret } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  family,
  inEnvironment,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type InEnvironment,
  type Paging,
} from '../command.js';
import { projectName } from '../compose-file.js';
import { rollOut, type RolloutOptions } from '../deploy/rollout.js';
import { CliError } from '../errors.js';
import { readBytes, readStdin } from '../files.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { askSecret, confirmed } from '../prompt.js';

interface SetOptions extends RolloutOptions, InEnvironment {
  fromFile?: string;
}
interface RemoveOptions extends Common, InEnvironment {
  yes?: boolean;
}

export function secretCommands(cli: Cli): Command {
  const set = inEnvironment(
    command('set <name>', 'Give a secret a value: asked for, or read from stdin or a file', [
      'secret set DB_PASSWORD --env prod',
      'secret set TLS_KEY --from-file key.pem --env prod',
      'secret set API_TOKEN --env dev < token.txt',
    ]),
  )
    .argument('<name>', 'as the Compose file names it')
    .argument('[-]', 'read stdin, also where that is a terminal')
    .option('--from-file <path>', 'the bytes of this file, as they are')
    .option('-d, --detach', 'return as soon as its rollout is accepted')
    .action((name: string, source: string | undefined, options: SetOptions) =>
      setSecret(cli, name, source, options),
    );
  const list = paged(
    inEnvironment(command('ls', 'List secrets; their values are never shown', ['secret ls --env prod'])),
  ).action((options: Common & InEnvironment & Paging) => listSecrets(cli, options));
  const remove = inEnvironment(
    command('rm <name>', 'Remove a secret that nothing uses', ['secret rm DB_PASSWORD --env dev']),
  )
    .argument('<name>')
    .option('-y, --yes', 'do not ask')
    .action((name: string, options: RemoveOptions) => removeSecret(cli, name, options));
  return family('secret', 'Secrets of an environment', [set, list, remove]);
}

async function setSecret(
  cli: Cli,
  name: string,
  source: string | undefined,
  options: SetOptions,
): Promise<void> {
  if (source !== undefined && source !== '-') {
    throw CliError.usage(
      'a value is not taken as an argument: it would stay in the history of the shell',
      'Leave it out to be asked for it, or use stdin or --from-file.',
    );
  }
  if (source === '-' && options.fromFile !== undefined)
    throw CliError.usage('give either - or --from-file, not both');
  const project = projectName(cli, options.project);
  const value = await readValue(cli, name, source, options.fromFile);
  if (value.length === 0) throw CliError.usage('the value is empty; nothing was set');
  const body = { valueBase64: value.toString('base64') };
  const secret = await cli.api.put(pathOf(project, options.env, name), ChangedSecret, body);
  if (options.json) return cli.output.json(secret);
  cli.output.line(`Set ${secret.name} of ${project}.${options.env}, version ${secret.version}.`);
  if (value.at(-1) === 0x0a) cli.output.note('Its value ends with a line break, as it was given.');
  const { deployment } = secret;
  if (deployment) await rollOut(cli, options, 'rolling it out', () => Promise.resolve(deployment));
}

async function readValue(
  cli: Cli,
  name: string,
  source: string | undefined,
  file: string | undefined,
): Promise<Buffer> {
  if (file !== undefined) return readBytes(cli, file);
  if (source === undefined && cli.interactive) return Buffer.from(await askSecret(cli, `Value of ${name}: `));
  return readStdin(cli);
}

async function listSecrets(cli: Cli, options: Common & InEnvironment & Paging): Promise<void> {
  const project = projectName(cli, options.project);
  const secrets = await cli.api.get(
    path`/v1/projects/${project}/environments/${options.env}/secrets`,
    page(Secret),
    pageQuery(options),
  );
  if (options.json) return cli.output.json(secrets);
  cli.output.table(
    secrets.items,
    [
      ['NAME', ({ name }) => name],
      ['VERSION', ({ version }) => version],
      ['SET BY', ({ setBy }) => setBy],
      ['SET', ({ setAt }) => ago(setAt)],
    ],
    `${project}.${options.env} has no secrets. Set one: berth secret set <name> --env ${options.env}`,
  );
  tellOfMore(cli, secrets);
}

async function removeSecret(cli: Cli, name: string, options: RemoveOptions): Promise<void> {
  const project = projectName(cli, options.project);
  const what = `${name} of ${project}.${options.env}`;
  if (!(await confirmed(cli, `Remove ${what}? Its value is gone then.`, options.yes)))
    return cli.output.note('Nothing was removed.');
  await cli.api.delete(pathOf(project, options.env, name));
  if (options.json) return cli.output.json({ project, environment: options.env, name });
  cli.output.line(`Removed ${what}.`);
}

function pathOf(project: string, environment: string, name: string): string {
  return path`/v1/projects/${project}/environments/${environment}/secrets/${name}`;
}
