/**
 * Lets those who ask for the same at one time share a look: one runs for each key at a time, and one more waits. Each is
 * given the result of a look that began after it asked, so nobody is told less than was so then.
 */
export class SharedLooks<T> {
  private readonly running = new Map<string, Promise<T>>();
  private readonly waiting = new Map<string, Promise<T>>();

  get(key: string, look: () => Promise<T>): Promise<T> {
    const running = this.running.get(key);
    if (!running) return this.start(key, look);
    let next = this.waiting.get(key);
    if (!next) {
      next = running.then(ignore, ignore).then(() => {
        this.waiting.delete(key);
        return this.start(key, look);
      });
      this.waiting.set(key, next);
    }
    return next;
  }

  private start(key: string, look: () => Promise<T>): Promise<T> {
    const started = look().finally(() => this.running.delete(key));
    this.running.set(key, started);
    return started;
  }
}

const ignore = (): void => undefined;
