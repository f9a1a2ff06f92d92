import { Inject, Injectable, type OnModuleInit, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { Health, LOGGER, type Logger } from '@berth/runtime';
import { NATS_CONNECTION } from './tokens.js';

/** Knows whether the connection is up: a request over a broken one fails at once instead of waiting for its time-out. */
@Injectable()
export class NatsLink implements OnModuleInit, OnApplicationShutdown {
  private up = true;

  constructor(
    @Inject(NATS_CONNECTION) readonly connection: NatsConnection,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly health: Health,
  ) {}

  get connected(): boolean {
    return this.up && !this.connection.isClosed();
  }

  onModuleInit(): void {
    void this.watch();
    this.health.add('nats', () => {
      if (!this.connected) throw new Error('not connected');
    });
  }

  private async watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') this.up = false;
      if (status.type === 'reconnect') this.up = true;
      if (status.type === 'error') this.logger.error({ err: status.error }, 'nats.error');
      if (status.type === 'disconnect' || status.type === 'reconnect')
        this.logger.warn(`nats.${status.type}`);
    }
  }

  /** Last of all: whoever used the connection has stopped by then. */
  async onApplicationShutdown(): Promise<void> {
    if (this.connection.isClosed()) return;
    // A drain over a lost connection would wait for its return.
    await (this.up ? this.connection.drain() : this.connection.close());
  }
}
