import { Inject, Injectable } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BerthError, LogLine } from '@berth/contracts';
import { NATS_CONNECTION, RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { fail, inThisRequest, Streams } from '../streams/streams.js';
import { LogFeed, type LogRequest, type LogSink } from './log-feed.js';

/** Lines that wait for a slow reader at most. */
const LINES_WAITING = 2_000;

/** Brings what containers write from the scheduler, over a subject of its own for each reader. */
@Injectable()
export class LogStreams {
  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly streams: Streams,
  ) {}

  /** The last lines as they are now, oldest first. */
  past(request: LogRequest): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    return new Promise((resolve, reject) => {
      const feed = this.feed(request, {
        line: (line) => void lines.push(line),
        end: (error) => (error ? reject(error) : resolve(lines)),
      });
      feed.start().catch(reject);
    });
  }

  /** Answers with a stream of lines, until the services are gone or the reader leaves. */
  async follow(request: LogRequest, httpRequest: FastifyRequest, reply: FastifyReply): Promise<void> {
    // Lines may come before the answer has begun: they wait.
    const early: ((sink: LogSink) => void)[] = [];
    const waiting: LogSink = {
      line: (line) => early.push((sink) => sink.line(line)),
      end: (error) => early.push((sink) => sink.end(error)),
    };
    let sink = waiting;
    const feed = this.feed(request, { line: (line) => sink.line(line), end: (error) => sink.end(error) });
    await feed.start();
    const stream = this.streams.start(httpRequest, reply, { keep: LINES_WAITING }, () => feed.stop());
    sink = {
      line: (line) => stream.send({ event: 'log', data: line }),
      end: inThisRequest((error: BerthError | null) =>
        error ? fail(stream, error) : stream.finish({ event: 'end', data: {} }),
      ),
    };
    for (const deliver of early) deliver(sink);
  }

  private feed(request: LogRequest, sink: LogSink): LogFeed {
    return new LogFeed(this.connection, this.rpc, request, sink);
  }
}
