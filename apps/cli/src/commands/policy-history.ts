import { page, Policy, PolicyVersion } from '@berth/contracts';
import type { Command } from 'commander';
import { createTwoFilesPatch } from 'diff';
import type { Cli } from '../cli.js';
import { command, paged, pageQuery, tellOfMore, whole, type Common, type Paging } from '../command.js';
import { CliError } from '../errors.js';
import { path } from '../http/path.js';
import { ago } from '../output/text.js';
import { tellBindings } from './policy-bindings.js';

const version = whole(1, 2 ** 31 - 1);

/** What a policy was, and the way back. */
export function historyCommands(cli: Cli): Command[] {
  return [
    paged(command('history <id>', 'List the versions of a policy', ['policy history no-latest']))
      .argument('<id>')
      .action((id: string, options: Common & Paging) => history(cli, id, options)),
    command('diff <id>', 'Show what a version of a policy changed', [
      'policy diff no-latest',
      'policy diff no-latest 3',
      'policy diff no-latest 1 3',
    ])
      .usage('<id> [from] [to] [options]')
      .argument('<id>')
      .argument('[from]', 'a version (default: the one before)', version)
      .argument('[to]', 'a version (default: the newest)', version)
      .action((id: string, from: number | undefined, to: number | undefined, options: Common) =>
        diff(cli, id, { from, to, ...options }),
      ),
    command('rollback <id>', 'Bring back the text and the bindings of an earlier version', [
      'policy rollback no-latest',
      'policy rollback no-latest 3',
    ])
      .usage('<id> [version] [options]')
      .argument('<id>')
      .argument('[version]', 'default: the one before', version)
      .action((id: string, wanted: number | undefined, options: Common) =>
        rollBack(cli, id, { wanted, ...options }),
      ),
  ];
}

async function history(cli: Cli, id: string, options: Common & Paging): Promise<void> {
  const versions = await cli.api.get(
    path`/v1/policies/${id}/versions`,
    page(PolicyVersion),
    pageQuery(options),
  );
  if (options.json) return cli.output.json(versions);
  cli.output.table(
    versions.items,
    [
      ['VERSION', (one) => one.version],
      ['CHANGE', ({ change }) => change],
      ['WHEN', ({ at, by }) => `${ago(at)} by ${by}`],
      ['HOLDS', ({ text, bindings }) => (text === null ? '-' : tellBindings(bindings))],
    ],
    'No versions.',
  );
  tellOfMore(cli, versions);
}

async function diff(
  cli: Cli,
  id: string,
  { from, to, json }: Common & { from?: number; to?: number },
): Promise<void> {
  const found = await allVersions(cli, id);
  const right = pick(id, found, to ?? found[0].version);
  const left = pick(id, found, from ?? Math.max(1, right.version - 1));
  if (json) return cli.output.json({ from: left, to: right });
  const [before, after] = [describe(left), describe(right)];
  if (before === after) return cli.output.note(`Versions ${left.version} and ${right.version} are the same.`);
  const names = [left, right].map((one) => `${id}, version ${one.version}`);
  for (const line of createTwoFilesPatch(names[0], names[1], before, after).split('\n').slice(1, -1)) {
    const color = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : undefined;
    cli.output.line(color ? cli.output.paint(color, line) : line);
  }
}

function allVersions(cli: Cli, id: string): Promise<PolicyVersion[]> {
  return cli.api.all(path`/v1/policies/${id}/versions`, PolicyVersion, { limit: 200 });
}

function pick(id: string, found: readonly PolicyVersion[], wanted: number): PolicyVersion {
  const one = found.find((candidate) => candidate.version === wanted);
  if (one) return one;
  throw CliError.usage(`${id} has no version ${wanted}`, `It has 1 to ${found[0]?.version ?? 0}.`);
}

/** Where it holds first, as that may be all that was changed. */
function describe({ text, bindings }: PolicyVersion): string {
  return text === null ? '' : `// ${tellBindings(bindings)}\n${text.trimEnd()}\n`;
}

async function rollBack(cli: Cli, id: string, { wanted, json }: Common & { wanted?: number }): Promise<void> {
  const policy = await cli.api.post(path`/v1/policies/${id}/rollbacks`, Policy, { version: wanted });
  if (json) return cli.output.json(policy);
  const { version: now, bindings } = policy;
  cli.output.line(`Policy ${id} is back, as version ${now}: ${tellBindings(bindings)}.`);
}
