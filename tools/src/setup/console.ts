/** What a set-up command tells a person while it works, and at its end. */
export class Console {
  private readonly begun = performance.now();

  constructor(private readonly options: { json: boolean; quiet: boolean }) {}

  /** A step, as it begins. With --json it goes to stderr: stdout is for the result. */
  readonly progress = (message: string): void => {
    if (this.options.quiet) return;
    const seconds = ((performance.now() - this.begun) / 1000).toFixed(1).padStart(5);
    (this.options.json ? process.stderr : process.stdout).write(`[${seconds}s] ${message}\n`);
  };

  /** The result, for people. */
  readonly tell = (text: string): void => {
    if (!this.options.json) process.stdout.write(`${text}\n`);
  };

  /** The result, for programs: one line, the last. */
  readonly result = (value: unknown): void => {
    if (this.options.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  };
}

/** An error that a person can act on: its message is all there is to say. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
