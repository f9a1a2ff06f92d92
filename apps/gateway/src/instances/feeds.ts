import { Inject, Injectable } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BerthError, StreamMessage } from '@berth/contracts';
import { NATS_CONNECTION } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fail, inThisRequest, Streams } from '../streams/streams.js';
import { Feed, type FeedPlan } from './feed.js';
import type { SseEvent, SseOptions } from '../streams/sse-stream.js';

/** What is wanted of the scheduler, and what a message of it is to a reader; nothing where there are none. */
export interface Wanted<Item> extends Pick<FeedPlan, 'follow' | 'ask'> {
  itemsOf(message: StreamMessage): Item[];
}

/** Brings what the scheduler tells of instances, over a subject of its own for each reader. */
@Injectable()
export class Feeds {
  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    private readonly streams: Streams,
  ) {}

  /** All there is to tell now. */
  collect<Item>({ itemsOf, ...wanted }: Wanted<Item>): Promise<Item[]> {
    const items: Item[] = [];
    return new Promise((resolve, reject) => {
      const feed = new Feed(this.connection, {
        ...wanted,
        take: (message) => void items.push(...itemsOf(message)),
        end: (error) => (error ? reject(error) : resolve(items)),
      });
      feed.start().catch(reject);
    });
  }

  /** Answers with a stream of events, until there is nothing more to come or the reader leaves. */
  async follow<Item>(
    { itemsOf, ...wanted }: Wanted<Item>,
    { keep, event }: SseOptions & Pick<SseEvent, 'event'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    // Something may come before the answer has begun: it waits.
    const early: (() => void)[] = [];
    let deliver: (work: () => void) => void = (work) => early.push(work);
    let send: (data: Item) => void = () => undefined;
    let end: (error: BerthError | null) => void = () => undefined;
    const feed = new Feed(this.connection, {
      ...wanted,
      take: (message) => itemsOf(message).forEach((item) => deliver(() => send(item))),
      end: (error) => deliver(() => end(error)),
    });
    await feed.start();
    const stream = this.streams.start(request, reply, { keep }, () => feed.stop());
    send = (data) => stream.send({ event, data });
    end = inThisRequest((error: BerthError | null) =>
      error ? fail(stream, error) : stream.finish({ event: 'end', data: {} }),
    );
    deliver = (work) => work();
    for (const work of early) work();
  }
}
