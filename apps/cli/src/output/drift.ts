import type { Environment } from '@berth/contracts';
import type { Cli } from '../cli.js';
import { printable } from './text.js';

/** What is there otherwise than it was rolled out; nothing where all is as it should be. */
export function tellDrift(cli: Cli, { drift }: Environment): void {
  if (!drift) return;
  cli.output.line();
  cli.output.line(cli.output.paint('yellow', 'Changed behind Berth:'));
  cli.output.table(
    drift.findings,
    [
      ['SERVICE', ({ service }) => service ?? '-'],
      ['KEY', ({ path }) => path || '(the service)'],
      ['ROLLED OUT', ({ wanted }) => printable(wanted ?? '-')],
      ['FOUND', ({ found }) => printable(found ?? '-')],
    ],
    '',
  );
}
