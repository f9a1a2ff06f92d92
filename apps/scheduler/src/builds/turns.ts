/** Lets so many go on at once; the others wait, the first to come being the first to go. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(readonly most: number) {
    this.free = most;
  }

  /** Resolves when it is one's turn, with what ends it. `ahead` is told of where one has to wait. Throws when the signal is aborted. */
  async take(signal: AbortSignal, ahead: (others: number) => void): Promise<() => void> {
    signal.throwIfAborted();
    if (this.free > 0) this.free -= 1;
    else await this.wait(signal, ahead);
    let taken = true;
    return () => {
      if (taken) this.next();
      taken = false;
    };
  }

  private async wait(signal: AbortSignal, ahead: (others: number) => void): Promise<void> {
    ahead(this.waiting.length + this.most);
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(go);
    });
  }

  private next(): void {
    const go = this.waiting.shift();
    if (go) go();
    else this.free += 1;
  }
}
