import {
  CollectedGarbage,
  formatBytes,
  ImageDetails,
  ImageTag,
  page,
  RegistryUsage,
  Repository,
  ScrubbedImages,
} from '@berth/contracts';
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
import { CliError, EXIT } from '../errors.js';
import { buildCommand } from './build.js';
import { ago, counted } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface ListOptions extends Common, Paging {
  team?: string;
}
interface UsageOptions extends Common {
  days: number;
}
interface RemoveOptions extends Common {
  yes?: boolean;
}
interface CollectOptions extends Common {
  grace?: number;
}

export function imageCommands(cli: Cli): Command {
  return family('image', 'What the registry stores, and building it', [
    buildCommand(cli),
    paged(command('ls', 'List repositories, with what they take', ['image ls', 'image ls --team acme']))
      .option('--team <name>', 'those of one team')
      .action((options: ListOptions) => list(cli, options)),
    paged(command('tags <repository>', 'List the tags of a repository', ['image tags acme/web']))
      .argument('<repository>')
      .action((repository: string, options: Common & Paging) => tags(cli, repository, options)),
    command('inspect <image>', 'Show what an image is: platforms, user, labels, layers', [
      'image inspect acme/web:1.2',
      'image inspect docker.io/library/nginx:1 --json',
    ])
      .argument('<image>', '<repository>[:<tag>], or <repository>@<digest>')
      .action((image: string, options: Common) => inspect(cli, image, options)),
    command('rm <image>', 'Remove a tag, or an image with all its tags', [
      'image rm acme/web:1.2',
      'image rm acme/web@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    ])
      .argument('<image>', '<repository>:<tag>, or <repository>@<digest>')
      .option('-y, --yes', 'do not ask')
      .action((image: string, options: RemoveOptions) => remove(cli, image, options)),
    command('usage', 'Show what the registry stores, and how much of what is pulled it had', [
      'image usage',
      'image usage --days 7 --json',
    ])
      .option('--days <n>', 'up to now, with today', whole(1, 400), 30)
      .action((options: UsageOptions) => usage(cli, options)),
    command('scrub', 'Read all that is stored again, and put away what is damaged', ['image scrub']).action(
      (options: Common) => scrub(cli, options),
    ),
    command('gc', 'Remove stored bytes that no image names', ['image gc', 'image gc --grace 1h'])
      .option(
        '--grace <duration>',
        'how long an upload waits for the image that names it (default: 24h)',
        duration,
      )
      .action((options: CollectOptions) => collect(cli, options)),
  ]);
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const query = { ...pageQuery(options), team: options.team };
  const found = await cli.api.get('/v1/images', page(Repository), query);
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['REPOSITORY', ({ name }) => name],
      ['TAGS', ({ tags: count }) => String(count)],
      ['SIZE', ({ bytes }) => formatBytes(bytes)],
      ['CHANGED', ({ updatedAt }) => (updatedAt === null ? '-' : ago(updatedAt))],
    ],
    'There are none. Push one: docker push <registry>/<team>/<name>:<tag>',
  );
  tellOfMore(cli, found);
}

async function tags(cli: Cli, repository: string, options: Common & Paging): Promise<void> {
  const query = { ...pageQuery(options), repository };
  const found = await cli.api.get('/v1/images/tags', page(ImageTag), query);
  if (options.json) return cli.output.json(found);
  cli.output.table(
    found.items,
    [
      ['TAG', ({ name }) => name],
      ['DIGEST', ({ digest }) => digest],
      ['SIZE', ({ bytes }) => (bytes === null ? 'an index' : formatBytes(bytes))],
      ['CHANGED', ({ updatedAt }) => ago(updatedAt)],
    ],
    `${repository} has no tags.`,
  );
  tellOfMore(cli, found);
}

async function inspect(cli: Cli, image: string, { json }: Common): Promise<void> {
  const { repository, reference = 'latest' } = parseImage(image);
  const found = await cli.api.get('/v1/images/inspect', ImageDetails, { repository, reference });
  if (json) return cli.output.json(found);
  const { layers, manifests, labels, annotations } = found;
  const facts: [string, string | null][] = [
    ['Image', `${found.repository}@${found.digest}`],
    ['Type', found.artifactType === null ? found.mediaType : `${found.mediaType} (${found.artifactType})`],
    ['Size', manifests.length > 0 ? 'an index' : formatBytes(found.bytes)],
    ['Platforms', found.platforms.join(', ') || null],
    ['User', found.user],
    ['Created', found.created && `${found.created} (${ago(found.created)})`],
    ['Subject', found.subject],
  ];
  for (const [name, value] of facts) if (value !== null) cli.output.line(`${name.padEnd(11)}${value}`);
  listed(cli, 'Labels', pairs(labels));
  listed(cli, 'Annotations', pairs(annotations));
  listed(
    cli,
    'Layers',
    layers.map(({ digest, bytes }) => `${digest}  ${formatBytes(bytes)}`),
  );
  listed(
    cli,
    'Images',
    manifests.map(({ digest, platform }) => `${digest}  ${platform ?? '-'}`),
  );
}

function pairs(values: Record<string, string>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

function listed(cli: Cli, title: string, lines: string[]): void {
  if (lines.length === 0) return;
  cli.output.line(`${title}:`);
  for (const line of lines) cli.output.line(`  ${line}`);
}

function parseImage(image: string): { repository: string; reference: string | undefined; isDigest: boolean } {
  const [, repository, separator, reference] = /^([^@:]+)(?:([@:])(.+))?$/.exec(image) ?? [];
  // What stands behind a colon and has a slash is a port, and the rest.
  if (repository && !reference?.includes('/')) return { repository, reference, isDigest: separator === '@' };
  throw CliError.usage(
    `"${image}" names no image`,
    'It must be <repository>:<tag>, or <repository>@<digest>, without the host of the registry.',
  );
}

async function scrub(cli: Cli, { json }: Common): Promise<void> {
  const total: ScrubbedImages = { blobs: 0, bytes: 0, damaged: [], verifiedBefore: '', more: true };
  while (total.more) {
    const verifiedBefore = total.verifiedBefore || undefined;
    const part = await cli.api.post('/v1/images/scrub', ScrubbedImages, { verifiedBefore });
    total.blobs += part.blobs;
    total.bytes += part.bytes;
    total.damaged.push(...part.damaged);
    total.verifiedBefore = part.verifiedBefore;
    total.more = part.more;
    if (part.more && !json) cli.output.note(`${formatBytes(total.bytes)} so far ...`);
  }
  if (total.damaged.length > 0) cli.exitCode = EXIT.failed;
  if (json) return cli.output.json(total);
  for (const { digest, damage, repositories, upstreams } of total.damaged) {
    cli.output.line(`${digest} is ${damage}`);
    if (repositories.length > 0) cli.output.line(`  push again: ${repositories.join(', ')}`);
    if (upstreams.length > 0) cli.output.line(`  is fetched again when pulled: ${upstreams.join(', ')}`);
  }
  const count = total.damaged.length;
  cli.output.line(
    `Read ${total.blobs} blobs, ${formatBytes(total.bytes)}: ${count === 0 ? 'all as they should be' : `${count} damaged`}.`,
  );
}

async function remove(cli: Cli, image: string, options: RemoveOptions): Promise<void> {
  const { repository, reference, isDigest } = parseImage(image);
  if (reference === undefined)
    throw CliError.usage(`"${image}" names no tag and no digest`, 'Which one is to go must be said.');
  const what = isDigest ? `the image ${image} with all its tags` : `the tag ${image}`;
  if (!(await confirmed(cli, `Remove ${what}?`, options.yes))) return cli.output.note('Nothing was removed.');
  await cli.api.delete('/v1/images', { repository, reference });
  if (options.json) return cli.output.json({ repository, reference });
  cli.output.line(`Removed ${what}.`);
}

async function collect(cli: Cli, { grace, json }: CollectOptions): Promise<void> {
  const total: CollectedGarbage = { links: 0, blobs: 0, bytes: 0, strays: 0, more: true };
  while (total.more) {
    const part = await cli.api.post('/v1/images/collect', CollectedGarbage, { graceSeconds: grace });
    for (const count of ['links', 'blobs', 'bytes', 'strays'] as const) total[count] += part[count];
    total.more = part.more;
    if (part.more && !json) cli.output.note(`${formatBytes(total.bytes)} so far ...`);
  }
  if (json) return cli.output.json(total);
  cli.output.line(`Removed ${counted(total.blobs, 'blob')}, ${formatBytes(total.bytes)}.`);
  if (total.strays > 0) cli.output.line(`Removed ${total.strays} files that a crash had left behind.`);
}

const KINDS = ['manifests', 'blobs'] as const;

async function usage(cli: Cli, { days, json }: UsageOptions): Promise<void> {
  const found = await cli.api.get('/v1/images/usage', RegistryUsage, { days });
  if (json) return cli.output.json(found);
  cli.output.facts({
    "teams' images": formatBytes(found.stored.hosted),
    'pulled through': formatBytes(found.stored.cached),
  });
  cli.output.line();
  cli.output.line(`Pulls of ${counted(days, 'day')}:`);
  cli.output.table(
    KINDS.map((kind) => ({ kind, ...found[kind] })),
    [
      ['OF', ({ kind }) => kind],
      ['HOSTED', ({ hosted }) => String(hosted)],
      ['CACHED', ({ cache, stale }) => String(cache + stale)],
      ['FETCHED', ({ upstream }) => String(upstream)],
      ['HIT RATE', ({ hitRate }) => (hitRate === null ? '-' : `${(hitRate * 100).toFixed(1)} %`)],
    ],
    'none',
  );
}
