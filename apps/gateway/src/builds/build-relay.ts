import type { Readable } from 'node:stream';
import type { NatsConnection } from '@nats-io/transport-node';
import { BerthError, BuildNote, streamInputSubject, streamSubject, type BuiltImage } from '@berth/contracts';
import { Pipe } from '@berth/messaging';

export interface BuildListener {
  log(text: string): void;
  built(image: BuiltImage): void;
  failed(error: BerthError): void;
}

/** Between the request of a client and the scheduler that builds: its body goes in, and what is told comes out. */
export class BuildRelay {
  private readonly pipe: Pipe;
  private listen: (listener: BuildListener) => void = () => undefined;
  private readonly listener = new Promise<BuildListener>((resolve) => (this.listen = resolve));
  private lose: (error: BerthError) => void = () => undefined;
  /** Rejects when the scheduler is gone. */
  readonly gone = new Promise<never>((_resolve, reject) => (this.lose = reject));
  private ended = false;

  /** Listens; the scheduler may be asked after that. */
  constructor(
    connection: NatsConnection,
    stream: string,
    private readonly context: Readable,
  ) {
    this.gone.catch(() => undefined);
    const subjects = { send: streamInputSubject(stream), receive: streamSubject(stream) };
    this.pipe = new Pipe(connection, subjects, {
      data: async (_channel, data) => (await this.listener).log(data.toString('utf8')),
      note: (note) => this.obey(BuildNote.parse(note)),
      broken: () => void this.break(),
    });
  }

  /** From now on it is told to this one, also what came before. */
  tell(listener: BuildListener): void {
    this.listen(listener);
  }

  /** Ends the build where it has not ended. */
  leave(): void {
    this.ended = true;
    this.pipe.leave();
  }

  /** What follows comes while the context is on its way: it must not wait for that. */
  private async obey(note: BuildNote): Promise<void> {
    if (note.type === 'ready') return void this.pump();
    const listener = await this.listener;
    this.leave();
    if (note.type === 'built') listener.built(note.image);
    else listener.failed(BerthError.fromProblem(note.problem));
  }

  private async pump(): Promise<void> {
    try {
      for await (const part of this.context) await this.pipe.send('context', part as Buffer);
      this.pipe.note({ type: 'whole' });
    } catch {
      // The client is gone, or its body broke off.
      this.leave();
    }
  }

  private async break(): Promise<void> {
    if (this.ended) return;
    this.leave();
    const error = new BerthError(
      'SERVICE_UNAVAILABLE',
      'The scheduler that built this is gone. Build again.',
    );
    this.lose(error);
    (await this.listener).failed(error);
  }
}
