import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Logger } from '@berth/runtime';
import type { RetentionRounds } from '../retention/retention-rounds.js';
import type { CacheEviction } from './cache-eviction.js';
import type { Collector } from './collector.js';
import type { Scrubber } from './scrubber.js';

const EVERY_MS = 60 * 60 * 1_000;
const EACH_AT_MOST_MS = EVERY_MS / 4;
/** What a service that stops waits for at most. */
const SLICE_MS = 5_000;

/** What is done every hour, one after the other. Several instances at it do no harm to each other. */
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly rooms: {
      collector: Collector;
      scrubber: Scrubber;
      eviction: CacheEviction;
      retention: RetentionRounds;
    },
    private readonly mostCachedBytes: number | null,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.current = this.round()), EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopping = true;
    await this.current;
  }

  private async round(): Promise<void> {
    const { collector, scrubber, eviction, retention } = this.rooms;
    await this.attempt('eviction', async () => {
      if (this.mostCachedBytes === null) return false;
      const images = await eviction.run(this.mostCachedBytes);
      if (images > 0) this.logger.info({ images }, 'cache.evicted');
      return false;
    });
    await this.attempt('retention', () => retention.round(SLICE_MS));
    await this.attempt('collection', () => collector.round(SLICE_MS));
    await this.attempt('scrub', () => scrubber.round(SLICE_MS));
  }

  /** Slice after slice, as long as there is more. */
  private async attempt(what: string, slice: () => Promise<boolean>): Promise<void> {
    const until = performance.now() + EACH_AT_MOST_MS;
    try {
      while (!this.stopping && performance.now() < until && (await slice()));
    } catch (error) {
      this.logger.warn({ err: error, what }, 'housekeeping.failed');
    }
  }
}
