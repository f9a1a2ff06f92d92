import type { LogLine } from '@berth/contracts';
import type { Color, Output } from '../output/output.js';
import { printable } from '../output/text.js';

const COLORS: readonly Color[] = ['cyan', 'green', 'yellow', 'bold'];
const SHORT_ID = 6;

interface PrintOptions {
  json: boolean;
  timestamps: boolean;
  /** Whether each line says whose it is: `web/3kq9x1 | …`. */
  prefixed: boolean;
}

/** Prints lines one by one; the prefixes are as wide as the widest so far. */
export function linePrinter(
  output: Output,
  { json, timestamps, prefixed }: PrintOptions,
): (line: LogLine) => void {
  if (json) return (line) => output.json(line);
  const services: string[] = [];
  let width = 0;
  return ({ time, service, instance, line }) => {
    const parts: string[] = [];
    if (prefixed) {
      if (!services.includes(service)) services.push(service);
      const prefix = `${service}/${instance.slice(0, SHORT_ID)}`;
      width = Math.max(width, prefix.length);
      parts.push(output.paint(COLORS[services.indexOf(service) % COLORS.length], prefix.padEnd(width)), '|');
    }
    if (timestamps) parts.push(output.paint('dim', time ?? '-'));
    // A pipe gets what was written; a terminal is not to be driven by it.
    output.line([...parts, output.stdout.isTTY ? printable(line) : line].join(' '));
  };
}
