import { CatalogEntry, page } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, paged, pageQuery, tellOfMore, type Common, type Paging } from '../command.js';
import { readText } from '../files.js';
import { path } from '../http/path.js';
import { printable } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface OfTeam extends Common {
  team: string;
}

export function catalogCommands(cli: Cli): Command {
  const list = paged(
    ofTeam(command('ls', 'List what resources can be made from', ['catalog ls --team acme'])),
  ).action((options: OfTeam & Paging) => listEntries(cli, options));
  const show = ofTeam(
    command('show <entry>', 'Print an entry: a file that a new one can be made from', [
      'catalog show postgres --team acme > own.yaml',
    ]),
  )
    .argument('<entry>')
    .action((entry: string, options: OfTeam) => showEntry(cli, entry, options));
  const add = ofTeam(
    command('add <entry> <file>', "Add an entry to a team's catalog, or replace it", [
      'catalog add search ./search.yaml --team acme',
    ]),
  )
    .argument('<entry>', 'what it is to be called')
    .argument('<file>')
    .action((entry: string, file: string, options: OfTeam) => addEntry(cli, entry, file, options));
  const remove = ofTeam(
    command('rm <entry>', "Remove an entry of a team's own", ['catalog rm search --team acme']),
  )
    .argument('<entry>')
    .option('-y, --yes', 'do not ask')
    .action((entry: string, options: OfTeam & { yes?: boolean }) => removeEntry(cli, entry, options));
  return family('catalog', 'What resources are made from', [list, show, add, remove]);
}

function ofTeam(member: Command): Command {
  return member.requiredOption('-t, --team <name>', 'the team');
}

async function listEntries(cli: Cli, options: OfTeam & Paging): Promise<void> {
  const place = path`/v1/teams/${options.team}/catalog`;
  const entries = await cli.api.get(place, page(CatalogEntry), pageQuery(options));
  if (options.json) return cli.output.json(entries);
  cli.output.table(
    entries.items,
    [
      ['ENTRY', ({ name }) => name],
      ['VERSIONS', ({ versions }) => versions.join(', ')],
      ['BACKUP', ({ backup }) => (backup ? 'yes' : 'no')],
      ['OF', ({ team }) => team ?? 'Berth'],
      ['', ({ description }) => printable(description)],
    ],
    'The catalog is empty.',
  );
  tellOfMore(cli, entries);
}

async function showEntry(cli: Cli, name: string, { team, json }: OfTeam): Promise<void> {
  const entry = await cli.api.get(path`/v1/teams/${team}/catalog/${name}`, CatalogEntry);
  if (json) return cli.output.json(entry);
  cli.output.line(entry.file.trimEnd());
}

async function addEntry(cli: Cli, name: string, file: string, { team, json }: OfTeam): Promise<void> {
  const body = { file: readText(cli, file) };
  const entry = await cli.api.put(path`/v1/teams/${team}/catalog/${name}`, CatalogEntry, body);
  if (json) return cli.output.json(entry);
  cli.output.line(`The catalog of ${team} has ${entry.name}: ${printable(entry.description)}`);
}

async function removeEntry(
  cli: Cli,
  name: string,
  { team, json, yes }: OfTeam & { yes?: boolean },
): Promise<void> {
  const question = `Remove ${name} from the catalog of ${team}? Resources made from it stay.`;
  if (!(await confirmed(cli, question, yes))) return cli.output.note('Nothing was removed.');
  await cli.api.delete(path`/v1/teams/${team}/catalog/${name}`);
  if (json) return cli.output.json({ team, name });
  cli.output.line(`Removed ${name} from the catalog of ${team}.`);
}
