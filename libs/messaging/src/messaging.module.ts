import { type DynamicModule, Global, Module } from '@nestjs/common';
import { connectNats, type NatsOptions } from './connection.js';
import { NatsLink } from './link.js';
import { Outbox } from './outbox.js';
import { OutboxRelay } from './outbox-relay.js';
import { RpcClient } from './rpc-client.js';
import { NATS_CONNECTION } from './tokens.js';

/** The bus: one connection, requests to others and, for a service with a database, the outbox and its relay. */
@Global()
@Module({})
export class MessagingModule {
  static forService(options: NatsOptions & { outbox: boolean }): DynamicModule {
    const outbox = options.outbox ? [Outbox, OutboxRelay] : [];
    return {
      module: MessagingModule,
      providers: [
        { provide: NATS_CONNECTION, useFactory: () => connectNats(options) },
        NatsLink,
        RpcClient,
        ...outbox,
      ],
      exports: [NATS_CONNECTION, NatsLink, RpcClient, ...outbox],
    };
  }
}
