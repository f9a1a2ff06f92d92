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

/** Something measured: once or often, in whatever unit; a bar that it has to stay under or reach, where there is one. */
export interface Figure {
  name: string;
  unit: string;
  values: number[];
  atMost?: number;
  atLeast?: number;
}

export function figure(name: string, unit: string, values: number | number[], atMost?: number): Figure {
  return { name, unit, values: [values].flat(), ...(atMost === undefined ? {} : { atMost }) };
}

/** Of the medians of two sides that were measured in the same run. */
export function ratio(name: string, ours: number[], theirs: number[], atMost?: number): Figure {
  return figure(name, 'x', median(ours) / median(theirs), atMost);
}

export function holds({ values, atMost, atLeast }: Figure): boolean {
  const value = median(values);
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

export function line(measured: Figure): string {
  const { name, unit, values, atMost, atLeast } = measured;
  const shown = (value: number): string =>
    unit === 'ms' ? String(Math.round(value)) : String(+value.toFixed(2));
  const range =
    values.length === 1
      ? ''
      : ` (${shown(Math.min(...values))} to ${shown(Math.max(...values))}, n=${values.length})`;
  const wanted =
    atMost !== undefined ? `at most ${atMost}` : atLeast !== undefined ? `at least ${atLeast}` : null;
  const bar = wanted === null ? '' : `   bar: ${wanted} ${unit}: ${holds(measured) ? 'holds' : 'MISSED'}`;
  return `  ${name.padEnd(58)} ${shown(median(values)).padStart(7)} ${unit}${range}${bar}`;
}
