export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One line: the median, and the range that says how noisy the machine was. */
export function describe(name: string, milliseconds: number[]): string {
  const rounded = milliseconds.map((value) => Math.round(value));
  return `${name}: median ${Math.round(median(milliseconds))} ms (${Math.min(...rounded)} to ${Math.max(...rounded)}, n=${rounded.length})`;
}

/** Something measured: once or often, in whatever unit; a bar that it has to stay under, where there is one. */
export interface Figure {
  name: string;
  unit: string;
  values: number[];
  atMost?: number;
}

export function figure(name: string, unit: string, values: number | number[], atMost?: number): Figure {
  return { name, unit, values: [values].flat(), ...(atMost === undefined ? {} : { atMost }) };
}

/** Of the medians of two sides that were measured in the same run. */
export function ratio(name: string, ours: number[], theirs: number[], atMost?: number): Figure {
  return figure(name, 'x', median(ours) / median(theirs), atMost);
}

export function holds({ values, atMost }: Figure): boolean {
  return atMost === undefined || median(values) <= atMost;
}

export function line(measured: Figure): string {
  const { name, unit, values, atMost } = measured;
  const shown = (value: number): string =>
    unit === 'ms' ? String(Math.round(value)) : String(+value.toFixed(2));
  const range =
    values.length === 1
      ? ''
      : ` (${shown(Math.min(...values))} to ${shown(Math.max(...values))}, n=${values.length})`;
  const bar =
    atMost === undefined ? '' : `   bar: at most ${atMost} ${unit}: ${holds(measured) ? 'holds' : 'MISSED'}`;
  return `  ${name.padEnd(58)} ${shown(median(values)).padStart(7)} ${unit}${range}${bar}`;
}
