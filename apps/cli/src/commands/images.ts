import { CollectedGarbage, formatBytes } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, duration, family, type Common } from '../command.js';

interface CollectOptions extends Common {
  grace?: number;
}

export function imageCommands(cli: Cli): Command {
  return family('image', 'What the registry stores', [
    command('gc', 'Remove stored bytes that no image names', ['image gc', 'image gc --grace 1h'])
      .option(
        '--grace <duration>',
        'how long an upload waits for the image that names it (default: 24h)',
        duration,
      )
      .action((options: CollectOptions) => collect(cli, options)),
  ]);
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
