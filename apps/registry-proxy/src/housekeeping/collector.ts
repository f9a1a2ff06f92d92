import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  garbageCollected,
  type CollectedGarbage,
  type CollectGarbage,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { GarbageCollection } from './garbage-collection.js';

/** How long a lease lasts on the rounds that nobody asks for: the slowest push that one would wait for. */
const GRACE_SECONDS = 24 * 60 * 60;
/** Less than whoever asks waits for. */
const AT_ONCE_MS = 20_000;

/** Has garbage collected: every hour, and when an admin says so. */
@Injectable()
export class Collector {
  constructor(
    private readonly collection: GarbageCollection,
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** As far as it comes in 20 s; `more` says whether to ask again. */
  async collect({ graceSeconds }: CollectGarbage): Promise<CollectedGarbage> {
    const intent = { action: actions.imageCollect, resource: PLATFORM, context: { graceSeconds } };
    const grant = await this.pipeline.authorize(intent);
    // No transaction for all of it: it takes long, and each blob is a step of its own.
    const collected = await this.collection.run(graceSeconds, performance.now() + AT_ONCE_MS);
    await this.dataSource.transaction(async (transaction) => {
      await this.pipeline.record(transaction, grant, { outcome: 'succeeded' });
      await this.outbox.event(transaction, draftEvent(garbageCollected, {}, collected));
    });
    return collected;
  }

  /** What is due, for so many milliseconds at most. Answers whether there is more. */
  async round(forMs: number): Promise<boolean> {
    const collected = await this.collection.run(GRACE_SECONDS, performance.now() + forMs);
    this.logger.info(collected, 'garbage.collected');
    return collected.more;
  }
}
