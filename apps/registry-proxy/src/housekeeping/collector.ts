import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
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

const EVERY_MS = 60 * 60 * 1_000;
/** How long a lease lasts on the rounds that nobody asks for: the slowest push that one would wait for. */
const GRACE_SECONDS = 24 * 60 * 60;
/** Less than whoever asks waits for. */
const AT_ONCE_MS = 20_000;

/** Collects garbage every hour, and when an admin says so. Several instances at it do no harm to each other. */
@Injectable()
export class Collector implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly collection: GarbageCollection,
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => (this.round = this.collectRound()), EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }

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

  private async collectRound(): Promise<void> {
    try {
      const collected = await this.collection.run(GRACE_SECONDS, performance.now() + EVERY_MS / 2);
      this.logger.info(collected, 'garbage.collected');
    } catch (error) {
      this.logger.warn({ err: error }, 'garbage.not-collected');
    }
  }
}
