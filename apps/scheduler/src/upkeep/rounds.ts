/** Does something again and again: at least every so often, at once when woken, never twice at a time. */
export class Rounds {
  private running: Promise<void> | null = null;
  private stopping = false;
  private woken = false;
  private interrupt: () => void = () => undefined;

  constructor(
    private readonly everyMs: number,
    private readonly round: () => Promise<void>,
  ) {}

  start(): void {
    this.running = this.run();
  }

  wake(): void {
    this.woken = true;
    this.interrupt();
  }

  /** Ends after the round at hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      this.woken = false;
      await this.round();
      if (this.stopping || this.woken) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.everyMs);
        this.interrupt = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
