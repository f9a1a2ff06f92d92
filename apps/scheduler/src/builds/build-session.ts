import { BerthError, type BuildNote, type BuiltImage } from '@berth/contracts';
import { Pipe, type PipeSubjects } from '@berth/messaging';
import { asBerthError, correlationId } from '@berth/runtime';
import type { NatsConnection } from '@nats-io/transport-node';
import { ContextSpool } from './context-spool.js';

const LOG = 'log';

/** The pipe to whoever asked for a build: the context comes in, and what is to be told goes out. */
export class BuildSession {
  private readonly stop = new AbortController();
  private readonly pipe: Pipe;
  private whole: () => void = () => undefined;
  private readonly received: Promise<void>;

  constructor(
    connection: NatsConnection,
    subjects: PipeSubjects,
    private readonly spool: ContextSpool,
  ) {
    this.received = new Promise<void>((resolve, reject) => {
      this.whole = resolve;
      this.signal.addEventListener('abort', () => reject(this.signal.reason as Error), { once: true });
    });
    // Who waits for it may not be there yet.
    this.received.catch(() => undefined);
    this.pipe = new Pipe(connection, subjects, {
      data: (_channel, data) => this.take(data),
      note: () => this.whole(),
      broken: () => this.end(left()),
    });
  }

  /** From now on the context is taken. */
  ready(): void {
    this.pipe.note({ type: 'ready' } satisfies BuildNote);
  }

  /** Aborted, with what to tell, when it is to end before its time. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  /** The context, once it is whole. */
  async context(): Promise<ContextSpool> {
    await this.received;
    return this.spool;
  }

  end(error: BerthError): void {
    this.stop.abort(error);
  }

  /** A line; resolves when the reader keeps up. */
  log = (text: string): Promise<void> => this.pipe.send(LOG, Buffer.from(`${text}\n`));

  built(image: BuiltImage): void {
    this.say({ type: 'built', image });
  }

  failed(thrown: unknown): void {
    this.say({ type: 'error', problem: asBerthError(thrown).toProblem(correlationId()) });
  }

  async close(): Promise<void> {
    this.pipe.leave();
    await this.spool.close();
  }

  private async take(data: Buffer): Promise<void> {
    try {
      await this.spool.add(data);
    } catch (error) {
      this.end(asBerthError(error));
    }
  }

  private say(end: BuildNote): void {
    this.pipe.finish(end);
  }
}

function left(): BerthError {
  return new BerthError('CONFLICT', 'Whoever asked for the build left before it ended.');
}
