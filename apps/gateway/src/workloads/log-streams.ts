import { Inject, Injectable } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  BerthError,
  isErrorCode,
  schedulerRpc,
  streamAliveSubject,
  StreamMessage,
  streamSubject,
  type LogLine,
  type LogOptions,
} from '@berth/contracts';
import { NATS_CONNECTION, RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import type { AtService } from '../http/places.js';
import { fail, inThisRequest, Streams } from '../streams/streams.js';

/** The scheduler stops a stream of which it has heard nothing for 30 seconds. */
const ALIVE_MS = 10_000;
/** Lines that wait for a slow reader at most. */
const LINES_WAITING = 2_000;
/** How long the past is waited for, after the last line of it that came. */
const SILENCE_MS = 10_000;

export type LogRequest = AtService & z.output<typeof LogOptions>;

interface LogSink {
  line(line: LogLine): void;
  end(error: BerthError | null): void;
}

/** Brings what containers write from the scheduler, over a subject of its own for each reader. */
@Injectable()
export class LogStreams {
  constructor(
    @Inject(NATS_CONNECTION) private readonly connection: NatsConnection,
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly streams: Streams,
  ) {}

  /** The last lines as they are now, oldest first. */
  async past(request: LogRequest): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    let silence: NodeJS.Timeout | undefined;
    let opened: Promise<() => void> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        silence = setTimeout(() => reject(tooSilent(request)), SILENCE_MS);
        const sink: LogSink = {
          line: (line) => {
            lines.push(line);
            silence?.refresh();
          },
          end: (error) => (error ? reject(error) : resolve()),
        };
        opened = this.open({ ...request, follow: false }, sink);
        opened.catch(reject);
      });
      return lines;
    } finally {
      clearTimeout(silence);
      opened?.then((stop) => stop()).catch(() => undefined);
    }
  }

  /** Answers with a stream of lines, until the service is gone or the reader leaves. */
  async follow(request: LogRequest, httpRequest: FastifyRequest, reply: FastifyReply): Promise<void> {
    // Lines may come before the answer has begun: they wait.
    const early: ((sink: LogSink) => void)[] = [];
    const waiting: LogSink = {
      line: (line) => early.push((sink) => sink.line(line)),
      end: (error) => early.push((sink) => sink.end(error)),
    };
    let sink = waiting;
    const stop = await this.open(request, {
      line: (line) => sink.line(line),
      end: (error) => sink.end(error),
    });
    const stream = this.streams.start(httpRequest, reply, { keep: LINES_WAITING }, stop);
    sink = {
      line: (line) => stream.send({ event: 'log', data: line }),
      end: inThisRequest((error: BerthError | null) =>
        error ? fail(stream, error) : stream.finish({ event: 'end', data: {} }),
      ),
    };
    for (const deliver of early) deliver(sink);
  }

  /** Listens, then asks the scheduler to send; one connection carries both in this order. Answers what stops it. */
  private async open(request: LogRequest, sink: LogSink): Promise<() => void> {
    const stream = uuidv7();
    const subscription = this.connection.subscribe(streamSubject(stream), {
      callback: (_error, message) => deliver(message.data, sink),
    });
    const sayAlive = (): void => this.connection.publish(streamAliveSubject(stream));
    const alive = setInterval(sayAlive, ALIVE_MS);
    const stop = (): void => {
      clearInterval(alive);
      subscription.unsubscribe();
    };
    try {
      const { since, ...rest } = request;
      await this.rpc.call(schedulerRpc.streamLogs, { ...rest, ...(since ? { since } : {}), stream });
      sayAlive();
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }
}

function deliver(data: Uint8Array, sink: LogSink): void {
  const message = StreamMessage.safeParse(JSON.parse(Buffer.from(data).toString('utf8')));
  if (!message.success) return;
  if (message.data.type === 'line') return sink.line(message.data.line);
  const { code, detail } = message.data;
  sink.end(
    code ? new BerthError(isErrorCode(code) ? code : 'INTERNAL', detail ?? 'The stream broke.') : null,
  );
}

function tooSilent({ service }: LogRequest): BerthError {
  return new BerthError('SERVICE_UNAVAILABLE', `The output of "${service}" did not come in time. Try again.`);
}
