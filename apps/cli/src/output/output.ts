import { once } from 'node:events';
import { tableLines, type Column } from './table.js';
import { printable } from './text.js';

export type Color = 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan';

const CODES: Record<Color, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** Where a command writes: results to stdout, everything about them to stderr. */
export class Output {
  constructor(
    readonly stdout: NodeJS.WriteStream,
    readonly stderr: NodeJS.WriteStream,
    private readonly colorWanted: boolean,
  ) {}

  /** One line of the result. */
  line(text = ''): void {
    this.stdout.write(`${text}\n`);
  }

  /** A part of a long result. Resolves when whoever reads it has taken it. */
  async part(text: string): Promise<void> {
    if (!this.stdout.write(text)) await once(this.stdout, 'drain');
  }

  /** One line about the result, that a pipe does not carry on. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): void {
    if (!rows.length) return this.note(empty);
    const [heading, ...lines] = tableLines(rows, columns);
    this.line(this.paint('bold', heading));
    for (const line of lines) this.line(line);
  }

  /** Names and values, one a line. */
  facts(facts: Readonly<Record<string, string | number | null | undefined>>): void {
    const width = Math.max(...Object.keys(facts).map((name) => name.length));
    for (const [name, value] of Object.entries(facts)) {
      const text = printable(String(value ?? '-')).replaceAll('\n', `\n${' '.repeat(width + 2)}`);
      this.line(`${this.paint('dim', name.padEnd(width))}  ${text}`);
    }
  }

  /** Coloured where the stream is a terminal that wants it. */
  paint(color: Color, text: string, stream: NodeJS.WriteStream = this.stdout): string {
    return this.colorWanted && stream.isTTY ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
  }
}
