import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import { LOGGER, type Logger } from '@berth/runtime';
import { Uploads } from './uploads.js';

const EVERY_MS = 60 * 60 * 1000;

/** Removes abandoned uploads, at the start and every hour; several instances do no harm to each other. */
@Injectable()
export class UploadSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly uploads: Uploads,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    void this.sweep();
    this.timer = setInterval(() => void this.sweep(), EVERY_MS).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      const removed = await this.uploads.sweep();
      if (removed > 0) this.logger.info({ removed }, 'uploads.swept');
    } catch (error) {
      this.logger.warn({ err: error }, 'uploads.sweep-failed');
    }
  }
}
