import { Command, InvalidArgumentError } from 'commander';
import type { Cli } from './cli.js';
import { CliError } from './errors.js';
import type { Query } from './http/path.js';
import { parseDuration, parseMoment } from './output/text.js';

/** Options that every command has. */
export interface Common {
  json?: boolean;
}

/** A command with `--json` and examples under its `--help`. */
export function command(usage: string, summary: string, examples: readonly string[]): Command {
  return new Command(usage.split(' ')[0])
    .usage(`${usage.split(' ').slice(1).join(' ')} [options]`.trim())
    .description(summary)
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ berth ${example}`).join('\n')}`);
}

/** A family of commands: `berth team …`. */
export function family(name: string, summary: string, members: readonly Command[]): Command {
  const group = new Command(name).description(summary);
  for (const member of members) group.addCommand(member);
  return group;
}

export interface Paging {
  limit?: number;
  cursor?: string;
}

/** Adds `--limit` and `--cursor` to a command that lists. */
export function paged(list: Command): Command {
  return list
    .option('--limit <n>', 'items at most, 1 to 200', whole(1, 200), 50)
    .option('--cursor <cursor>', 'go on where an earlier list ended (its nextCursor)');
}

export function pageQuery({ limit, cursor }: Paging): Query {
  return { limit, cursor };
}

/** Says on stderr that there is more than was shown. */
export function tellOfMore(cli: Cli, page: { nextCursor: string | null }): void {
  if (page.nextCursor) cli.output.note(`There is more: --cursor ${page.nextCursor}`);
}

export interface InProject {
  project?: string;
}
export interface InEnvironment extends InProject {
  env: string;
}

export const PROJECT_HELP = "the project (default: the Compose file's name, else the folder's)";

export function inProject(member: Command): Command {
  return member.option('-p, --project <name>', PROJECT_HELP);
}

export function inEnvironment(member: Command): Command {
  return inProject(member.requiredOption('-e, --env <name>', 'the environment'));
}

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number, ${least} to ${most}.`);
  };
}

/** A length of time, in seconds. */
export function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds) return seconds;
  throw new InvalidArgumentError('It must be like 90s, 30m, 12h or 30d.');
}

export function moment(text: string): string {
  const timestamp = parseMoment(text);
  if (timestamp) return timestamp;
  throw new InvalidArgumentError('It must be like 15m, 2h, 7d, 2026-05-01 or 2026-05-01T10:00:00Z.');
}

/** `{ K: 'V' }` of `K=V` pairs. */
export function readVariables(pairs: readonly string[]): Record<string, string> {
  return readPairs('--var', pairs);
}

/** The same of any option that takes a name and a value. */
export function readPairs(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const split = pair.indexOf('=');
      if (split < 1) throw CliError.usage(`${option} ${pair}: it must be NAME=VALUE`);
      return [pair.slice(0, split), pair.slice(split + 1)];
    }),
  );
}
