export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One line: the median, and the range that says how noisy the machine was. */
export function describe(name: string, milliseconds: number[]): string {
  const rounded = milliseconds.map((value) => Math.round(value));
  return `${name}: median ${Math.round(median(milliseconds))} ms (${Math.min(...rounded)} to ${Math.max(...rounded)}, n=${rounded.length})`;
}
