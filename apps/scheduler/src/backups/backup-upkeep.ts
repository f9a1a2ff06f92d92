import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from '../upkeep/rounds.js';
import { BackupFiles } from './backup-files.js';

/** Removes the backups of environments that are gone: with these went the keys that could open them. */
@Injectable()
export class BackupUpkeep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Rounds;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly files: BackupFiles,
    @Inject(SCHEDULER_ENV) { SCHEDULER_UPKEEP_SECONDS: seconds }: SchedulerEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.rounds = new Rounds(seconds * 1_000, () => this.round());
  }

  onApplicationBootstrap(): void {
    this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
  }

  private async round(): Promise<void> {
    try {
      // In this order: a folder is made for an environment that is there.
      const folders = await this.files.environments();
      if (folders.length === 0) return;
      const rows: { id: string }[] = await this.dataSource.query('SELECT id FROM environments');
      const present = new Set(rows.map(({ id }) => id));
      for (const folder of folders) if (!present.has(folder)) await this.files.forget(folder);
    } catch (error) {
      this.logger.warn({ err: error }, 'backups.not-swept');
    }
  }
}
