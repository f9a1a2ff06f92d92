/** Items of several producers for one reader. A producer waits while it is full, so that a slow reader costs no memory. */
export class BoundedQueue<T> {
  private readonly items: T[] = [];
  private readonly waiting: (() => void)[] = [];
  private wake: (() => void) | null = null;
  private ended: { error: unknown } | null = null;

  constructor(private readonly capacity: number) {}

  /** Resolves once there is room for the next one, or when it has ended and nothing is taken any more. */
  async put(item: T): Promise<void> {
    if (this.ended) return;
    this.items.push(item);
    this.wake?.();
    if (this.items.length >= this.capacity)
      await new Promise<void>((resolve) => void this.waiting.push(resolve));
  }

  /** The reader gets what there is, and then the error, if there is one. */
  end(error: unknown = null): void {
    this.ended ??= { error };
    this.wake?.();
    this.release();
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      while (this.items.length > 0) {
        const [item] = this.items.splice(0, 1);
        if (this.items.length < this.capacity) this.release();
        yield item;
      }
      if (this.ended?.error) throw this.ended.error;
      if (this.ended) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = null;
    }
  }

  private release(): void {
    for (const go of this.waiting.splice(0)) go();
  }
}
