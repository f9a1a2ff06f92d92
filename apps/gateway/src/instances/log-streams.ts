import { Inject, Injectable } from '@nestjs/common';
import { instancesRpc, RecentLines, type LogLine, type LogOptions } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { InEnvironment } from '../http/places.js';
import { Feeds, type Wanted } from './feeds.js';

/** Lines that wait for a slow reader at most. */
const LINES_WAITING = 2_000;

export type LogRequest = z.output<typeof LogOptions> & {
  place: InEnvironment;
  /** One service, or several of an environment, or (null) all of it. */
  what: { service: string } | { services: string[] | null };
};

/** What containers write. */
@Injectable()
export class LogStreams {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly feeds: Feeds,
  ) {}

  /** The last lines as they are now, oldest first. */
  past(request: LogRequest): Promise<LogLine[]> {
    return this.feeds.collect(this.wanted(request));
  }

  /** Answers with a stream of lines, until the services are gone or the reader leaves. */
  follow(request: LogRequest, httpRequest: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.feeds.follow(this.wanted(request), { keep: LINES_WAITING, event: 'log' }, httpRequest, reply);
  }

  /** Another scheduler goes on from a little before the last line; what came already is left out. */
  private wanted({ place, what, follow, tail, since }: LogRequest): Wanted<LogLine> {
    const recent = new RecentLines();
    return {
      follow,
      ask: (stream, again) => {
        const from = again ? recent.resume() : null;
        const range = from === null ? { tail, ...(since ? { since } : {}) } : { tail: null, since: from };
        const request = { ...place, stream, follow, ...range };
        return 'service' in what
          ? this.rpc.call(instancesRpc.streamLogs, { ...request, ...what })
          : this.rpc.call(instancesRpc.streamEnvironmentLogs, { ...request, ...what });
      },
      itemsOf: (message) => (message.type === 'line' && recent.isNew(message.line) ? [message.line] : []),
    };
  }
}
