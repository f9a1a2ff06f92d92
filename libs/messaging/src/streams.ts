import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const DAY_NS = 24 * 3_600 * 1_000_000_000;

/** Facts for whoever cares: kept for a week, for consumers that were away. */
export const EVENTS = {
  name: 'EVENTS',
  subjects: ['berth.events.>'],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: 7 * DAY_NS,
  duplicate_window: 10 * 60 * 1_000_000_000,
} satisfies Partial<StreamConfig>;

/** Records on their way to the audit log: kept until the audit service has them, however long that takes. */
export const RECORDS = {
  name: 'RECORDS',
  subjects: ['berth.records.>'],
  retention: RetentionPolicy.Workqueue,
  storage: StorageType.File,
  discard: DiscardPolicy.New,
  duplicate_window: 10 * 60 * 1_000_000_000,
} satisfies Partial<StreamConfig>;

export async function ensureStreams(connection: NatsConnection): Promise<JetStreamManager> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  for (const stream of [EVENTS, RECORDS]) await manager.streams.add(stream);
  return manager;
}
