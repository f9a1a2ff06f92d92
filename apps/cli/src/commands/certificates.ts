import { Certificate, page } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { readText } from '../files.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface SetOptions extends Common {
  certificate: string;
  key: string;
}
interface RemoveOptions extends Common {
  yes?: boolean;
}

const DAY_MS = 86_400_000;

export function certificateCommands(cli: Cli): Command {
  return family('certificate', 'Certificates that are brought for host names', [
    paged(command('ls', 'List them, and when they expire', ['certificate ls'])).action(
      (options: Common & Paging) => list(cli, options),
    ),
    command('set <host>', 'Bring one, in place of one that is made or was brought before', [
      'certificate set shop.example.org --certificate chain.pem --key key.pem',
      "certificate set '*.example.org' --certificate chain.pem --key key.pem",
    ])
      .argument('<host>', 'a name that it stands for; *.<name> for all names below')
      .requiredOption('--certificate <path>', 'PEM: its own first, then those that lead to the root')
      .requiredOption('--key <path>', 'PEM, not encrypted')
      .action((host: string, options: SetOptions) => set(cli, host, options)),
    command('rm <host>', 'Remove one; another is made in its place', ['certificate rm shop.example.org'])
      .argument('<host>')
      .option('-y, --yes', 'do not ask')
      .action((host: string, options: RemoveOptions) => remove(cli, host, options)),
  ]);
}

async function list(cli: Cli, options: Common & Paging): Promise<void> {
  const found = await cli.api.get('/v1/certificates', page(Certificate), pageQuery(options));
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['HOST', ({ host }) => host],
      ['EXPIRES', ({ expiresAt }) => `${expiresAt.slice(0, 10)} (${until(expiresAt)})`],
      ['ISSUER', ({ issuer }) => issuer],
      ['SET', ({ setAt, setBy }) => `${ago(setAt)} by ${setBy}`],
    ],
    'No certificate was brought: they are made, if TLS is on.',
  );
  tellOfMore(cli, found);
}

async function set(cli: Cli, host: string, options: SetOptions): Promise<void> {
  const [certificate, key] = [readText(cli, options.certificate), readText(cli, options.key)];
  const made = await cli.api.put(path`/v1/certificates/${host}`, Certificate, { certificate, key });
  if (options.json) return cli.output.json(made);
  cli.output.line(`Set the certificate of ${made.host}: for ${made.names.join(', ')}.`);
  cli.output.line(`It expires on ${made.expiresAt.slice(0, 10)} (${until(made.expiresAt)}).`);
}

async function remove(cli: Cli, host: string, options: RemoveOptions): Promise<void> {
  if (!(await confirmed(cli, `Remove the certificate of ${host}? Its key is gone then.`, options.yes)))
    return cli.output.note('Nothing was removed.');
  await cli.api.delete(path`/v1/certificates/${host}`);
  if (options.json) return cli.output.json({ host });
  cli.output.line(`Removed the certificate of ${host}.`);
}

function until(time: string): string {
  const days = Math.floor((Date.parse(time) - Date.now()) / DAY_MS);
  return days < 0 ? 'expired' : `in ${days} days`;
}
