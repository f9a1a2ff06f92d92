import type { TerminalSize } from '@berth/contracts';
import type { Cli } from '../cli.js';

const USUAL: TerminalSize = { columns: 80, rows: 24 };

/** The terminal that the CLI runs in, as far as it is one at both ends. */
export class Terminal {
  constructor(private readonly cli: Cli) {}

  get isThere(): boolean {
    return Boolean(this.cli.stdin.isTTY && this.cli.output.stdout.isTTY);
  }

  get size(): TerminalSize {
    const { columns, rows } = this.cli.output.stdout;
    return columns && rows ? { columns, rows } : USUAL;
  }

  /** Passes keys on as they are, Ctrl-C too, until the answer is called. */
  takeOver(resized: (size: TerminalSize) => void): () => void {
    const { stdin, output } = this.cli;
    const onResize = (): void => resized(this.size);
    stdin.setRawMode(true);
    output.stdout.on('resize', onResize);
    return () => {
      stdin.setRawMode(false);
      output.stdout.off('resize', onResize);
    };
  }
}
