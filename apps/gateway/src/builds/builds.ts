import { Inject, Injectable } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { NatsConnection } from '@nats-io/transport-node';
import { BerthError, buildRpc, CONTEXT_MEDIA_TYPE, type BuildOptions } from '@berth/contracts';
import { NATS_CONNECTION, RpcClient } from '@berth/messaging';
import { newId } from '@berth/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { InProject } from '../http/places.js';
import { fail, inThisRequest, Streams } from '../streams/streams.js';
import { BuildRelay } from './build-relay.js';

/** Lines that wait for a slow reader at most. */
const LINES_WAITING = 10_000;

/** Brings a context to a scheduler, and what comes of it back. */
@Injectable()
export class Builds {
  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly streams: Streams,
  ) {}

  /** Answers with a stream of events once the build was let begin; throws before where it is not. */
  async start(
    { project }: InProject,
    options: BuildOptions,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { body } = request;
    if (!(body instanceof Readable))
      throw new BerthError('MEDIA_TYPE_UNSUPPORTED', `The body is the context, as ${CONTEXT_MEDIA_TYPE}.`);
    const stream = newId();
    const relay = new BuildRelay(this.connection, stream, body);
    const begun = this.rpc.call(buildRpc.start, { project, stream, options });
    try {
      await Promise.race([begun, relay.gone]);
    } catch (error) {
      begun.catch(() => undefined);
      relay.leave();
      throw error;
    }
    const events = this.streams.start(request, reply, { keep: LINES_WAITING }, () => relay.leave());
    relay.tell({
      log: (text) => events.send({ event: 'log', data: { text } }),
      built: (image) => events.finish({ event: 'built', data: image }),
      failed: inThisRequest((error: BerthError) => fail(events, error)),
    });
  }
}
