import { Prices } from '@berth/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { command, family, type Common } from '../command.js';

interface SetOptions extends Common {
  cpu: number;
  memory: number;
  currency: string;
}

export function priceCommands(cli: Cli): Command {
  return family('price', 'What it costs to run something', [
    command('show', 'Show the prices', ['price show']).action((options: Common) => show(cli, options)),
    command('set', 'Set the prices; `quota show` says what they come to', [
      'price set --cpu 0.02 --memory 0.004 --currency EUR',
    ])
      .requiredOption('--cpu <amount>', 'of a core, for an hour', amount)
      .requiredOption('--memory <amount>', 'of a GiB of memory, for an hour', amount)
      .requiredOption('--currency <code>', 'its code in ISO 4217, such as EUR')
      .action((options: SetOptions) => set(cli, options)),
  ]);
}

function amount(text: string): number {
  if (/^\d+(\.\d{1,6})?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be an amount such as 0.02, to a millionth.');
}

async function show(cli: Cli, options: Common): Promise<void> {
  tell(cli, await cli.api.get('/v1/prices', Prices), options);
}

async function set(cli: Cli, options: SetOptions): Promise<void> {
  const { cpu, memory, currency } = options;
  tell(cli, await cli.api.put('/v1/prices', Prices, { cpu, memory, currency }), options);
}

function tell(cli: Cli, prices: Prices, { json }: Common): void {
  if (json) return cli.output.json(prices);
  const { cpu, memory, currency, setBy, setAt } = prices;
  const hourly = (price: number): string => `${price} ${currency} for an hour`;
  cli.output.facts({ core: hourly(cpu), 'GiB of memory': hourly(memory), set: `${setAt} by ${setBy}` });
}
