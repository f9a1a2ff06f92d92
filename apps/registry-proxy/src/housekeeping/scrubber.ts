import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline } from '@berth/actions';
import { actions, PLATFORM, type ScrubbedImages, type ScrubImages } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';
import { Scrub } from './scrub.js';

/** Less than whoever asks waits for. */
const AT_ONCE_MS = 20_000;
const EACH_EVERY_MS = 30 * 24 * 3_600_000;
/** Bytes a second, so that pulls have the disk too. */
const PACE = 32 * 1024 * 1024;

/** Has stored bytes verified: each once in thirty days, and when an admin says so. */
@Injectable()
export class Scrubber {
  constructor(
    private readonly scrub: Scrub,
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** As far as it comes in 20 s; `more` says whether to ask again. */
  async ask({ verifiedBefore = new Date().toISOString() }: ScrubImages): Promise<ScrubbedImages> {
    const grant = await this.pipeline.authorize({
      action: actions.imageScrub,
      resource: PLATFORM,
      context: {},
    });
    const deadline = performance.now() + AT_ONCE_MS;
    const round = { verifiedBefore: new Date(verifiedBefore), deadline, pace: null };
    const scrubbed = await this.scrub.run(round);
    await this.dataSource.transaction((transaction) =>
      this.pipeline.record(transaction, grant, { outcome: 'succeeded' }),
    );
    return { ...scrubbed, verifiedBefore };
  }

  /** What is due, for so many milliseconds at most. Answers whether there is more. */
  async round(forMs: number): Promise<boolean> {
    const verifiedBefore = new Date(Date.now() - EACH_EVERY_MS);
    const deadline = performance.now() + forMs;
    const { damaged, ...scrubbed } = await this.scrub.run({ verifiedBefore, deadline, pace: PACE });
    if (scrubbed.blobs > 0) this.logger.info(scrubbed, 'blobs.scrubbed');
    for (const blob of damaged) this.logger.error(blob, 'blob.damaged');
    return scrubbed.more;
  }
}
