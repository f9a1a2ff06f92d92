import { AppliedRetention, page, RetentionRule } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  duration,
  family,
  paged,
  pageQuery,
  tellOfMore,
  whole,
  type Common,
  type Paging,
} from '../command.js';
import { CliError } from '../errors.js';
import { ago, counted, lasting } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface ListOptions extends Common, Paging {
  team?: string;
}
interface RuleOptions extends Common {
  keep?: number;
  olderThan?: number;
  tags?: string;
}
interface RemoveOptions extends Common {
  yes?: boolean;
}

const SCOPE = '<team> for all its repositories without a rule of their own, or <team>/<name>';

export function retentionCommands(cli: Cli): Command {
  return family('retention', 'Rules by which images go', [
    paged(command('ls', 'List the rules', ['retention ls', 'retention ls --team acme']))
      .option('--team <name>', 'those of one team')
      .action((options: ListOptions) => list(cli, options)),
    ruled(
      command('set <scope>', 'Let images go by a rule: within the hour, and every hour', [
        'retention set acme --keep 10 --older-than 30d',
        "retention set acme/web --older-than 7d --tags 'pr-*'",
      ]),
    ).action((scope: string, options: RuleOptions) => set(cli, scope, options)),
    ruled(
      command('preview <scope>', 'Show what would go now: by the rule that is set, or by another', [
        'retention preview acme',
        'retention preview acme --keep 3',
      ]),
    ).action((scope: string, options: RuleOptions) => preview(cli, scope, options)),
    command('apply <scope>', 'Let go now what goes by the rule', ['retention apply acme'])
      .argument('<scope>', SCOPE)
      .option('-y, --yes', 'do not ask')
      .action((scope: string, options: RemoveOptions) => apply(cli, scope, options)),
    command('rm <scope>', 'Remove a rule: images stay', ['retention rm acme/web'])
      .argument('<scope>', SCOPE)
      .action((scope: string, options: Common) => remove(cli, scope, options)),
  ]);
}

function ruled(of: Command): Command {
  return of
    .argument('<scope>', SCOPE)
    .option('--keep <n>', 'of each repository, so many tags stay: those set last', whole(1, 10_000))
    .option('--older-than <duration>', 'only what was set longer ago goes, such as 30d', duration)
    .option('--tags <pattern>', "which tags it is about, such as 'pr-*'; the others stay (default: all)");
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const found = await cli.api.get('/v1/retention', page(RetentionRule), {
    ...pageQuery(options),
    team: options.team,
  });
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['SCOPE', ({ scope }) => scope],
      ['TAGS', ({ tags }) => tags],
      ['KEEPS', tellKept],
      ['SET', ({ setAt, setBy }) => `${ago(setAt)} by ${setBy}`],
    ],
    'There are none: images stay until somebody removes them.',
  );
  tellOfMore(cli, found);
}

function tellKept({ keepLast, olderThanSeconds }: RetentionRule): string {
  const last = keepLast === null ? [] : [`the last ${keepLast}`];
  const young = olderThanSeconds === null ? [] : [`those of ${lasting(olderThanSeconds)}`];
  return [...last, ...young].join(' and ');
}

function ruleOf({ keep, olderThan, tags }: RuleOptions): object {
  if (keep === undefined && olderThan === undefined)
    throw CliError.usage('the rule says of no image that it goes', 'Use --keep, --older-than, or both.');
  return { keepLast: keep, olderThanSeconds: olderThan, tags };
}

async function set(cli: Cli, scope: string, options: RuleOptions): Promise<void> {
  const body = ruleOf(options);
  const rule = await cli.api.put('/v1/retention', RetentionRule, body, { scope });
  const going = await cli.api.post('/v1/retention/preview', AppliedRetention, body, { query: { scope } });
  if (options.json) return cli.output.json({ ...rule, going });
  cli.output.line(`Of ${scope}, ${tellKept(rule)} stay.`);
  const count = going.tags.length + going.images.length;
  cli.output.line(
    count === 0
      ? 'Nothing goes by it now.'
      : `Within the hour go ${tell(going)}. See them: berth retention preview ${scope}`,
  );
}

async function preview(cli: Cli, scope: string, options: RuleOptions): Promise<void> {
  const { keep, olderThan, tags } = options;
  const another = [keep, olderThan, tags].some((option) => option !== undefined);
  const body = another ? ruleOf(options) : await ruleSet(cli, scope);
  const going = await cli.api.post('/v1/retention/preview', AppliedRetention, body, { query: { scope } });
  if (options.json) return cli.output.json(going);
  show(cli, going);
  cli.output.line(
    going.tags.length + going.images.length === 0
      ? 'Nothing would go now. What runs, and what was pushed or pulled within the hour, stays in any case.'
      : `Would go: ${tell(going)}.`,
  );
}

/** As a body to ask with. */
async function ruleSet(cli: Cli, scope: string): Promise<object> {
  const [team] = scope.split('/');
  const rules = await cli.api.get('/v1/retention', page(RetentionRule), { team, limit: 200 });
  const found =
    rules.items.find((rule) => rule.scope === scope) ?? rules.items.find((rule) => rule.scope === team);
  if (found === undefined)
    throw CliError.usage(`no rule is set for ${scope}`, 'Give one to try: --keep, --older-than, or both.');
  const { keepLast, olderThanSeconds, tags } = found;
  return { keepLast: keepLast ?? undefined, olderThanSeconds: olderThanSeconds ?? undefined, tags };
}

async function apply(cli: Cli, scope: string, { yes, json }: RemoveOptions): Promise<void> {
  if (!(await confirmed(cli, `Remove what goes by the rule of ${scope}?`, yes)))
    return cli.output.note('Nothing was removed.');
  const total: AppliedRetention = { tags: [], images: [], denied: [], more: true };
  while (total.more) {
    const part = await cli.api.post('/v1/retention/apply', AppliedRetention, {}, { query: { scope } });
    total.tags.push(...part.tags);
    total.images.push(...part.images);
    total.denied.push(...part.denied);
    total.more = part.more;
    if (part.more && !json) cli.output.note(`${tell(total)} so far ...`);
  }
  if (json) return cli.output.json(total);
  show(cli, total);
  cli.output.line(`Removed ${tell(total)}.`);
  for (const { repository, reference, reason } of total.denied)
    cli.output.note(`${repository} ${reference} stays: ${reason}`);
}

async function remove(cli: Cli, scope: string, { json }: Common): Promise<void> {
  await cli.api.delete('/v1/retention', { scope });
  if (json) return cli.output.json({ scope });
  cli.output.line(`Images of ${scope} stay.`);
}

function show(cli: Cli, { tags, images }: AppliedRetention): void {
  for (const { repository, tag } of tags) cli.output.line(`${repository}:${tag}`);
  for (const { repository, digest } of images) cli.output.line(`${repository}@${digest}`);
}

function tell({ tags, images }: AppliedRetention): string {
  return `${counted(tags.length, 'tag')} and ${counted(images.length, 'image')}`;
}
