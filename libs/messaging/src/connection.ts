import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { BaseEnv } from '@berth/runtime';

export interface NatsOptions {
  service: string;
  env: Pick<BaseEnv, 'NATS_URL' | 'NATS_USER' | 'NATS_PASSWORD'>;
}

/**
 * The one NATS connection of a process. Each service has an inbox prefix of its own, so that its credentials let it read
 * the answers that are meant for it and no others. Waits for a server that is not there yet, and never gives up on one.
 */
export function connectNats({ service, env }: NatsOptions): Promise<NatsConnection> {
  return connect({
    servers: env.NATS_URL,
    ...(env.NATS_USER ? { user: env.NATS_USER, pass: env.NATS_PASSWORD } : {}),
    name: `berth-${service}`,
    inboxPrefix: `_INBOX_${service}`,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    pingInterval: 10_000,
    maxPingOut: 2,
  });
}
