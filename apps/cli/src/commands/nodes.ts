import { formatBytes, Node, page, type NodeAvailability } from '@berth/contracts';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, type Common } from '../command.js';
import { path } from '../http/path.js';
import { confirmed } from '../prompt.js';

interface RemoveOptions extends Common {
  yes?: boolean;
}

const SAID: Record<NodeAvailability, string> = {
  active: 'gets instances',
  pause: 'gets no further instances',
  drain: 'gets no instances; those it has start elsewhere',
};

export function nodeCommands(cli: Cli): Command {
  const setting = (verb: string, summary: string, availability: NodeAvailability): Command =>
    command(`${verb} <node>`, summary, [`node ${verb} worker-2`])
      .argument('<node>', 'its name, or its id')
      .action((node: string, options: Common) => set(cli, node, availability, options));
  return family('node', 'The machines of the platform', [
    command('ls', 'List them', ['node ls']).action((options: Common) => list(cli, options)),
    setting('drain', 'Move its instances to other nodes, and give it none', 'drain'),
    setting('pause', 'Give it no further instances', 'pause'),
    setting('activate', 'Give it instances again', 'active'),
    command('rm <node>', 'Remove one that is down', ['node rm worker-2'])
      .argument('<node>', 'its name, or its id')
      .option('-y, --yes', 'do not ask')
      .action((node: string, options: RemoveOptions) => remove(cli, node, options)),
  ]);
}

async function list(cli: Cli, options: Common): Promise<void> {
  const nodes = await cli.api.get('/v1/nodes', page(Node));
  if (options.json) return cli.output.json(nodes);
  cli.output.table(
    nodes.items,
    [
      ['NODE', ({ name, own }) => (own ? `${name} *` : name)],
      ['ROLE', ({ role }) => role],
      ['STATE', ({ state, message }) => (message ? `${state} (${message})` : state)],
      ['AVAILABILITY', ({ availability }) => availability],
      ['CORES', ({ cpu }) => String(cpu)],
      ['MEMORY', ({ memory }) => formatBytes(memory)],
      ['ENGINE', ({ engineVersion }) => engineVersion],
      ['ADDRESS', ({ address }) => address],
      ['ID', ({ id }) => id],
    ],
    'There are none.',
  );
  cli.output.note('* through this one Berth manages the others. Another joins with "docker swarm join".');
}

async function set(cli: Cli, node: string, availability: NodeAvailability, options: Common): Promise<void> {
  const changed = await cli.api.put(path`/v1/nodes/${node}`, Node, { availability });
  if (options.json) return cli.output.json(changed);
  cli.output.line(`${changed.name} ${SAID[changed.availability]}.`);
}

async function remove(cli: Cli, node: string, options: RemoveOptions): Promise<void> {
  if (!(await confirmed(cli, `Remove the node ${node}?`, options.yes)))
    return cli.output.note('Nothing was removed.');
  await cli.api.delete(path`/v1/nodes/${node}`);
  if (options.json) return cli.output.json({ node });
  cli.output.line(`Removed the node ${node}.`);
}
