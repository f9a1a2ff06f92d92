import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { BerthError, streamAliveSubject, streamSubject, type StreamMessage } from '@berth/contracts';
import { NatsLink } from '@berth/messaging';
import { asBerthError, LOGGER, type Logger } from '@berth/runtime';

/** A reader that has not been heard of for so long is gone. */
const SILENCE_MS = 30_000;
/** How often a reader hears that there is still somebody who would send. */
const HEARTBEAT_MS = 3_000;
const MAX_STREAMS = 100;
/** Why a stream is ended: its reader may go on with another scheduler. */
const STOPPING = new BerthError('SERVICE_UNAVAILABLE', 'The scheduler that sent this output stops.');
/** The bus must take what was sent before more is read: a reader that is slow must not fill our memory. */
const MESSAGES_AHEAD = 200;

/** What is sent, until the signal is aborted. */
export type Source = (signal: AbortSignal) => AsyncIterable<StreamMessage>;

/** Sends what somebody wants to see of instances, to each on a subject of its own. */
@Injectable()
export class OutStreams implements BeforeApplicationShutdown {
  private readonly open = new Map<AbortController, Promise<void>>();

  constructor(
    @Inject(NatsLink) private readonly link: NatsLink,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Begins to send; ends by itself, or when the reader is silent for 30 seconds. Throws SERVICE_UNAVAILABLE when too many are open. */
  start(stream: string, source: Source): void {
    if (this.open.size >= MAX_STREAMS)
      throw new BerthError('SERVICE_UNAVAILABLE', 'Too much is being read at once. Try again later.');
    const stop = new AbortController();
    const sending = this.send(stream, source, stop);
    this.open.set(stop, sending);
    void sending.finally(() => this.open.delete(stop));
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const stop of this.open.keys()) stop.abort(STOPPING);
    await Promise.all(this.open.values());
  }

  private async send(stream: string, source: Source, stop: AbortController): Promise<void> {
    const { connection } = this.link;
    let silence = setTimeout(() => stop.abort(), SILENCE_MS);
    const alive = connection.subscribe(streamAliveSubject(stream), {
      callback: () => {
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), SILENCE_MS);
      },
    });
    const publish = (message: StreamMessage): void =>
      connection.publish(streamSubject(stream), JSON.stringify(message));
    const heartbeat = setInterval(() => publish({ type: 'alive' }), HEARTBEAT_MS);
    try {
      let sent = 0;
      for await (const message of source(stop.signal)) {
        publish(message);
        sent += 1;
        if (sent % MESSAGES_AHEAD === 0) await connection.flush();
      }
      if (stop.signal.reason === STOPPING) throw STOPPING;
      publish({ type: 'end', code: null, detail: null });
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (thrown !== STOPPING) this.logger.warn({ err: thrown, stream }, 'stream.failed');
      publish({ type: 'end', code: error.code, detail: error.message });
    } finally {
      clearTimeout(silence);
      clearInterval(heartbeat);
      alive.unsubscribe();
    }
  }
}
