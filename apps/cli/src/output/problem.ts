import { BrokenLimit, formatBytes, PolicyAnswer } from '@berth/contracts';
import { z } from 'zod';
import { CliError } from '../errors.js';
import type { Output } from './output.js';
import { tableLines } from './table.js';
import { printable } from './text.js';

const Policies = z.array(PolicyAnswer);
const Limits = z.array(BrokenLimit);

/** What a policy would have denied, and will where it is bound to. */
export function printWarning(output: Output, { id, message }: PolicyAnswer): void {
  const label = output.paint('yellow', 'Warning', output.stderr);
  output.note(
    `${label}: policy ${output.paint('bold', printable(id), output.stderr)}: ${printable(message)}`,
  );
}

/** `CODE: detail`, the policies or limits that it names, and what to do; with `--json` the problem as the last line. */
export function printError(output: Output, error: CliError, json: boolean): void {
  const { problem } = error;
  output.note(`${output.paint('red', error.code, output.stderr)}: ${printable(error.message)}`);
  const policies = Policies.safeParse(problem?.policies);
  if (policies.success) {
    for (const { id, message } of policies.data) {
      output.note(`  policy ${output.paint('bold', printable(id), output.stderr)}: ${printable(message)}`);
    }
  }
  const limits = Limits.safeParse(problem?.limits);
  if (limits.success && limits.data.length) {
    for (const line of limitLines(limits.data)) output.note(`  ${line}`);
  }
  if (error.hint) output.note(output.paint('dim', error.hint, output.stderr));
  if (typeof problem?.decision === 'string')
    output.note(
      output.paint('dim', `Why: berth policy explain ${printable(problem.decision)}`, output.stderr),
    );
  if (problem?.correlationId && problem.status >= 500)
    output.note(`Correlation id: ${problem.correlationId}`);
  if (json) output.note(JSON.stringify(problem ?? { code: error.code, detail: error.message }));
}

export function limitLines(limits: readonly BrokenLimit[]): string[] {
  const amount = ({ dimension }: BrokenLimit, value: number): string =>
    dimension === 'memory' ? formatBytes(value) : String(value);
  return tableLines(limits, [
    ['SCOPE', ({ scope, name }) => `${scope}/${name}`],
    ['DIMENSION', ({ dimension }) => dimension],
    ['LIMIT', (limit) => amount(limit, limit.limit)],
    ['USED', (limit) => amount(limit, limit.used)],
    ['REQUESTED', (limit) => amount(limit, limit.requested)],
  ]);
}
