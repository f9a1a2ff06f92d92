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
import { WAY_IN, type WayIn } from '../engine/way-in.js';
import { Rounds } from '../upkeep/rounds.js';
import { Metadata, tagOf } from './metadata.js';
import { watchEvent, type Watcher } from './watcher.js';

const ROUND_MS = 1_000;
const BEAT_MS = 15_000;

/**
 * Tells those who watch an environment what becomes of it. The database says which environment has changed, at the commit
 * of the change and to every scheduler; while it can't be heard, all that are watched are looked at every second.
 */
@Injectable()
export class Watches implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly watched = new Map<string, Set<Watcher>>();
  /** Environments that may be another than their watchers know. */
  private readonly changed = new Set<string>();
  private readonly notifications: Notifications;
  private readonly rounds = new Rounds(ROUND_MS, () => this.round());
  private beats: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    @Inject(WAY_IN) private readonly wayIn: WayIn | null,
    private readonly metadata: Metadata,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.notifications = new Notifications(dataSource, 'environments', (id) => this.onChange(id));
  }

  onApplicationBootstrap(): void {
    if (!this.wayIn) return;
    this.rounds.start();
    this.beats = setInterval(() => this.forAll((watcher) => watcher.beat()), BEAT_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.beats);
    this.forAll((watcher) => watcher.end());
    await this.rounds.stop();
    await this.notifications.end();
  }

  /** From now on the watcher is told, beginning with how it is. Answers how to stop that. */
  add(environmentId: string, watcher: Watcher): () => void {
    const watchers = this.watched.get(environmentId) ?? new Set();
    this.watched.set(environmentId, watchers.add(watcher));
    if (this.stopping) watcher.end();
    this.onChange(environmentId);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.watched.get(environmentId) === watchers)
        this.watched.delete(environmentId);
    };
  }

  private onChange(environmentId: string): void {
    if (!this.watched.has(environmentId)) return;
    this.changed.add(environmentId);
    this.rounds.wake();
  }

  private async round(): Promise<void> {
    if (!this.notifications.listening) {
      // What was told meanwhile was missed; and once it is heard again, what comes now is not.
      await this.notifications
        .listen()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'metadata.not-listening'));
      for (const id of this.watched.keys()) this.changed.add(id);
    }
    const ids = [...this.changed];
    this.changed.clear();
    await Promise.all(ids.map((id) => this.tell(id)));
  }

  private async tell(id: string): Promise<void> {
    const watchers = this.watched.get(id);
    if (!watchers) return;
    try {
      const told = await this.metadata.ofId(id);
      if (told) {
        const event = watchEvent(tagOf(told.metadata), told.metadata);
        for (const watcher of watchers) watcher.offer(event);
      } else {
        for (const watcher of watchers) watcher.end();
      }
    } catch (error) {
      this.changed.add(id);
      this.logger.warn({ err: error }, 'metadata.not-told');
    }
  }

  private forAll(act: (watcher: Watcher) => void): void {
    for (const watchers of this.watched.values()) for (const watcher of watchers) act(watcher);
  }
}
