import { Inject, Injectable } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { BerthError, execRpc, type ExecOptions } from '@berth/contracts';
import { NATS_CONNECTION, RpcClient } from '@berth/messaging';
import { correlationId, LOGGER, type Logger, newId } from '@berth/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type { AtService } from '../http/places.js';
import { acceptWebSocket, requireUpgrade } from '../http/upgrades.js';
import { inThisRequest, Streams } from '../streams/streams.js';
import { ExecSession } from './exec-session.js';

/** Brings what is typed to a command in an instance, and what that writes back. */
@Injectable()
export class Exec {
  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly streams: Streams,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Answers with a WebSocket once the command runs; throws before where it does not. */
  async run(
    place: AtService,
    options: z.output<typeof ExecOptions>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    requireUpgrade(request);
    const stream = newId();
    const session = new ExecSession(this.connection, stream);
    const { command, instance = null, tty, columns, rows } = options;
    const terminal = tty ? { columns, rows } : null;
    try {
      await this.rpc.call(execRpc.start, { ...place, stream, command, instance, terminal });
    } catch (error) {
      session.leave();
      throw error;
    }
    const socket = await acceptWebSocket(request, reply);
    if (socket) this.hold(session, socket, request);
    else session.leave();
  }

  private hold(session: ExecSession, socket: WebSocket, request: FastifyRequest): void {
    const begun = performance.now();
    const release = this.streams.watch(request, {
      finish: () => session.fail(new BerthError('SERVICE_UNAVAILABLE', 'The gateway stops.')),
      fail: (error) => session.fail(error),
    });
    const onClose = inThisRequest(() => {
      release();
      const milliseconds = Math.round(performance.now() - begun);
      this.logger.info({ correlationId: correlationId(), milliseconds }, 'exec.closed');
    });
    session.open(socket, onClose);
  }
}
