/** In milliseconds. */
export interface Ages {
  /** From then on one who comes is to ask anew, while the others go by what is known: when it is over, all would ask at once, and wait. */
  renewed: number;
  /** It is good for no longer than that. */
  over: number;
}

/** Something that was so a moment ago. */
export class AgingValue<T> {
  private renewing = false;

  /** `at`: when it was asked for, by `performance.now()`. */
  constructor(
    private readonly value: T,
    readonly at: number,
    private readonly ages: Ages,
  ) {}

  get isOver(): boolean {
    return this.age >= this.ages.over;
  }

  /** Undefined once it is over, and before that to the one who is to ask anew. */
  take(): T | undefined {
    if (this.isOver) return undefined;
    if (this.renewing || this.age < this.ages.renewed) return this.value;
    this.renewing = true;
    return undefined;
  }

  private get age(): number {
    return performance.now() - this.at;
  }
}
