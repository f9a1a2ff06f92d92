import { BerthError } from '@berth/contracts';

/** How many of a kind there may be at a time: of each environment, and in all. */
export class RequestsAtOnce {
  private readonly of = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: { each: number; all: number }) {}

  /** Takes a place, and answers how to give it back. Throws TOO_MANY_REQUESTS where there is none. */
  enter(key: string, what: string): () => void {
    const { each, all } = this.limits;
    const present = this.of.get(key) ?? 0;
    if (present >= each || this.all >= all) {
      const limit = present >= each ? `${each} of an environment` : `${all} in all`;
      throw new BerthError(
        'TOO_MANY_REQUESTS',
        `There are too many ${what} at a time: ${limit} may be open.`,
      );
    }
    this.of.set(key, present + 1);
    this.all += 1;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.all -= 1;
      const left = (this.of.get(key) ?? 1) - 1;
      if (left > 0) this.of.set(key, left);
      else this.of.delete(key);
    };
  }
}
