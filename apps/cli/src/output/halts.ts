import type { Environment } from '@berth/contracts';
import type { Cli } from '../cli.js';
import { ago, printable } from './text.js';

/** Which services policy keeps from running, and how they run again; nothing where it lets all of them. */
export function tellHalts(cli: Cli, { project, name, halted }: Environment): void {
  if (halted.length === 0) return;
  const { output } = cli;
  output.line();
  output.line(
    output.paint('yellow', 'Stopped by policy, as an instance that was started anew is not allowed:'),
  );
  output.table(
    halted.flatMap(({ service, since, policies }) => policies.map((policy) => ({ service, since, policy }))),
    [
      ['SERVICE', ({ service }) => service],
      ['SINCE', ({ since }) => ago(since)],
      ['POLICY', ({ policy }) => policy.id],
      ['MESSAGE', ({ policy }) => printable(policy.message)],
    ],
    '',
  );
  output.line(`Once it is allowed: berth restart ${halted[0].service} --project ${project} --env ${name}`);
}
