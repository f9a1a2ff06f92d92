import { CollectedGarbage, formatBytes, ImageTag, page, Repository } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import {
  command,
  duration,
  family,
  paged,
  pageQuery,
  tellOfMore,
  type Common,
  type Paging,
} from '../command.js';
import { CliError } from '../errors.js';
import { ago } from '../output/text.js';
import { confirmed } from '../prompt.js';

interface ListOptions extends Common, Paging {
  team?: string;
}
interface RemoveOptions extends Common {
  yes?: boolean;
}
interface CollectOptions extends Common {
  grace?: number;
}

export function imageCommands(cli: Cli): Command {
  return family('image', 'What the registry stores', [
    paged(command('ls', 'List repositories, with what they take', ['image ls', 'image ls --team acme']))
      .option('--team <name>', 'those of one team')
      .action((options: ListOptions) => list(cli, options)),
    paged(command('tags <repository>', 'List the tags of a repository', ['image tags acme/web']))
      .argument('<repository>')
      .action((repository: string, options: Common & Paging) => tags(cli, repository, options)),
    command('rm <image>', 'Remove a tag, or an image with all its tags', [
      'image rm acme/web:1.2',
      'image rm acme/web@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    ])
      .argument('<image>', '<repository>:<tag>, or <repository>@<digest>')
      .option('-y, --yes', 'do not ask')
      .action((image: string, options: RemoveOptions) => remove(cli, image, options)),
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

async function remove(cli: Cli, image: string, options: RemoveOptions): Promise<void> {
  const [, repository, separator, reference] = /^([^@:]+)([@:])(.+)$/.exec(image) ?? [];
  if (!repository) {
    throw CliError.usage(
      `"${image}" names no image`,
      'It must be <repository>:<tag>, or <repository>@<digest>.',
    );
  }
  const what = separator === '@' ? `the image ${image} with all its tags` : `the tag ${image}`;
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
  const blobs = total.blobs === 1 ? '1 blob' : `${total.blobs} blobs`;
  cli.output.line(`Removed ${blobs}, ${formatBytes(total.bytes)}.`);
  if (total.strays > 0) cli.output.line(`Removed ${total.strays} files that a crash had left behind.`);
}
