import { page, PolicyHook, RegisteredHook } from '@berth/contracts';
import { type Command, Option } from 'commander';
import type { Cli } from '../cli.js';
import {
  collect,
  command,
  family,
  paged,
  pageQuery,
  tellOfMore,
  whole,
  type Common,
  type Paging,
} from '../command.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';

interface SetOptions extends Common {
  url?: string;
  on: string[];
  scope?: string;
  timeout: number;
  onFailure: string;
  rotate?: boolean;
}

export function hookCommands(cli: Cli): Command {
  return family('hook', 'Your own code, asked beside the policies', [
    paged(command('ls', 'List hooks', ['hook ls'])).action((options: Common & Paging) => list(cli, options)),
    command('set <name>', 'Register or change a hook', [
      'hook set scanner --url https://scanner.example.org/berth --on deployment.create.before',
      'hook set tickets --on deployment.promote --scope environments/shop.prod --on-failure ignore',
    ])
      .argument('<name>')
      .option('--url <url>', 'asked with POST (default: over NATS, on berth.hooks.<name>)')
      .requiredOption(
        '--on <hook>',
        'deployment.create.before, or deployment.create for both; may be repeated',
        collect,
      )
      .option('-s, --scope <scope>', 'where it is asked (default: platform)')
      .option('--timeout <ms>', 'how long it may take', whole(50, 2_000), 1_000)
      .addOption(
        new Option('--on-failure <what>', 'what no answer is').choices(['deny', 'ignore']).default('deny'),
      )
      .option('--rotate', 'make a new secret')
      .action((name: string, options: SetOptions) => set(cli, name, options)),
    command('rm <name>', 'Remove a hook', ['hook rm scanner'])
      .argument('<name>')
      .action((name: string, options: Common) => remove(cli, name, options)),
  ]);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const hooks = await cli.api.get('/v1/hooks', page(PolicyHook), pageQuery(options));
  if (options.json) return cli.output.json(hooks);
  cli.output.table(
    hooks.items,
    [
      ['NAME', ({ name }) => name],
      ['ASKED', ({ url, subject }) => url ?? subject],
      ['ON', ({ on }) => on.join(', ')],
      ['SCOPE', ({ scope }) => scope],
      ['TIMEOUT', ({ timeoutMs }) => `${timeoutMs} ms`],
      ['NO ANSWER', ({ onFailure }) => (onFailure === 'deny' ? 'denies' : 'is ignored')],
      ['CHANGED', ({ updatedAt, updatedBy }) => `${ago(updatedAt)} by ${updatedBy}`],
    ],
    'No hooks.',
  );
  tellOfMore(cli, hooks);
}

async function set(cli: Cli, name: string, options: SetOptions): Promise<void> {
  const { url, on, scope, timeout: timeoutMs, onFailure, rotate } = options;
  const body = { url, on, scope, timeoutMs, onFailure, rotate };
  const hook = await cli.api.put(path`/v1/hooks/${name}`, RegisteredHook, body);
  if (options.json) return cli.output.json(hook);
  cli.output.line(
    `Hook ${name} is asked at ${hook.url ?? hook.subject} on ${hook.on.join(', ')} in ${hook.scope}.`,
  );
  if (hook.secret === null) return;
  cli.output.line(`Secret: ${hook.secret}`);
  cli.output.note(
    hook.url === null
      ? 'It signs each request and each answer (Berth-Signature). Keep it: it is not shown again.'
      : 'It signs each request (Berth-Signature). Keep it: it is not shown again.',
  );
}

async function remove(cli: Cli, name: string, options: Common): Promise<void> {
  await cli.api.delete(path`/v1/hooks/${name}`);
  if (options.json) return cli.output.json({ name });
  cli.output.line(`Hook ${name} is asked no more.`);
}
