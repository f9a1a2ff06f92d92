import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Notifications } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import { type Ages, AgingValue } from '../memory/aging-value.js';

const ROUND_MS = 1_000;
/** Should the database's word not come through, an entry is wrong for five seconds at most. */
const AGES: Ages = { renewed: 4_000, over: 5_000 };
const MOST = 50_000;

/**
 * What repositories hold, as it was read lately. Each change of a repository is heard of from the database, whichever instance made it,
 * and makes it forget all about that one; while nothing could be heard, it knows nothing.
 */
@Injectable()
export class CatalogMemory implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly repositories = new Map<string, Map<string, AgingValue<unknown>>>();
  private readonly notifications: Notifications;
  private timer: NodeJS.Timeout | undefined;
  private size = 0;
  /** Grows with each thing forgotten: what was being read meanwhile may be of before. */
  private changes = 0;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.notifications = new Notifications(dataSource, 'catalog', (repository) => this.forget(repository));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.listen(), ROUND_MS).unref();
    void this.listen();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.notifications.end();
  }

  /** What is known under the key, else what `read` says. Null is not kept: what is not there may come. */
  async recall<T>(repository: string, key: string, read: () => Promise<T | null>): Promise<T | null> {
    const entry = this.notifications.listening ? this.repositories.get(repository)?.get(key) : undefined;
    const known = entry?.take();
    if (known !== undefined) return known as T;
    const at = performance.now();
    const { changes } = this;
    const value = await read();
    if (value !== null && changes === this.changes && this.notifications.listening)
      this.keep(repository, key, new AgingValue<unknown>(value, at, AGES));
    return value;
  }

  /** To be called after a change is committed here, so that whoever made it finds it at once. */
  forget(repository: string): void {
    this.changes += 1;
    this.size -= this.repositories.get(repository)?.size ?? 0;
    this.repositories.delete(repository);
  }

  private keep(repository: string, key: string, entry: AgingValue<unknown>): void {
    if (this.size >= MOST) this.forgetAll();
    const of = this.repositories.get(repository) ?? new Map<string, AgingValue<unknown>>();
    if (!of.has(key)) this.size += 1;
    of.set(key, entry);
    this.repositories.set(repository, of);
  }

  private forgetAll(): void {
    this.changes += 1;
    this.repositories.clear();
    this.size = 0;
  }

  private async listen(): Promise<void> {
    if (this.notifications.listening) return;
    // Whatever changed while nothing was heard.
    this.forgetAll();
    try {
      await this.notifications.listen();
    } catch (error) {
      this.logger.debug({ err: error }, 'catalog.deaf');
    }
  }
}
