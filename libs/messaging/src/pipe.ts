import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { PipeMessage } from '@berth/contracts';

const PIECE_BYTES = 32 * 1024;
/** What the other end has not taken yet at most: a slow reader there makes the writer here wait. */
const WINDOW_BYTES = 512 * 1024;
const ALIVE_MS = 3_000;
/** An end that says nothing for so long is not there any more. */
const SILENCE_MS = 10_000;

export interface PipeSubjects {
  send: string;
  receive: string;
}

export interface PipeHandlers {
  /** Resolves when it has been taken; the next comes after that. */
  data(channel: string, data: Buffer): Promise<void> | void;
  /** In its place among the data. */
  note(note: unknown): Promise<void> | void;
  /** The other end has left, or something is lost on the way: nothing comes any more. Called once at most. */
  broken(): void;
}

/**
 * One end of a two-way pipe over two subjects. Data and notes arrive in order and whole, or `broken` is called; each end
 * knows within ten seconds when the other is there no more, and neither can flood the other.
 */
export class Pipe {
  private sent = 0;
  private received = 0;
  private inFlight = 0;
  private toTell = 0;
  private open = true;
  /** The last note of the other end is here, or will not come. */
  private heardAll = false;
  private inbound: Promise<void> = Promise.resolve();
  private readonly waiting: (() => void)[] = [];
  private readonly subscription: Subscription;
  private readonly heartbeat = setInterval(() => this.publish({ type: 'alive' }), ALIVE_MS);
  private readonly silence = setTimeout(() => this.break(), SILENCE_MS);

  constructor(
    private readonly connection: NatsConnection,
    private readonly subjects: PipeSubjects,
    private readonly handlers: PipeHandlers,
  ) {
    this.subscription = connection.subscribe(subjects.receive, {
      callback: (_error, message) => this.receive(message.data),
    });
  }

  /** Resolves when there is room for more; at once when the pipe is closed. */
  async send(channel: string, data: Buffer): Promise<void> {
    for (let at = 0; at < data.length && this.open; at += PIECE_BYTES) {
      const piece = data.subarray(at, at + PIECE_BYTES);
      this.inFlight += piece.length;
      this.sent += 1;
      this.publish({ type: 'data', sequence: this.sent, channel, base64: piece.toString('base64') });
      while (this.inFlight >= WINDOW_BYTES && this.open)
        await new Promise<void>((resolve) => void this.waiting.push(resolve));
    }
  }

  note(note: unknown): void {
    this.sayNote(note, false);
  }

  /** The last word of this end, after all data; nothing is heard any more. */
  finish(note: unknown): void {
    this.sayNote(note, true);
    this.close();
  }

  /** Ends it before its time. */
  leave(): void {
    if (this.open) this.publish({ type: 'gone' });
    this.close();
  }

  private sayNote(note: unknown, last: boolean): void {
    if (!this.open) return;
    this.sent += 1;
    this.publish({ type: 'note', sequence: this.sent, note, last });
  }

  private publish(message: PipeMessage): void {
    if (!this.connection.isClosed()) this.connection.publish(this.subjects.send, JSON.stringify(message));
  }

  private receive(data: Uint8Array): void {
    if (!this.open || this.heardAll) return;
    this.silence.refresh();
    const message = read(data);
    if (!message) return this.break();
    if (message.type === 'alive') return;
    if (message.type === 'taken') return this.makeRoom(message.bytes);
    if (message.type === 'gone') return this.break();
    this.received += 1;
    if (message.sequence !== this.received) return this.break();
    if (message.type === 'note' && message.last) this.hearNoMore();
    this.inbound = this.inbound.then(() => this.handle(message)).catch(() => this.break());
  }

  private async handle(message: PipeMessage & { type: 'data' | 'note' }): Promise<void> {
    if (!this.open) return;
    if (message.type === 'note') return this.handlers.note(message.note);
    const data = Buffer.from(message.base64, 'base64');
    await this.handlers.data(message.channel, data);
    this.toTell += data.length;
    if (this.toTell < WINDOW_BYTES / 4) return;
    this.publish({ type: 'taken', bytes: this.toTell });
    this.toTell = 0;
  }

  private makeRoom(bytes: number): void {
    this.inFlight -= bytes;
    for (const go of this.waiting.splice(0)) go();
  }

  private hearNoMore(): void {
    this.heardAll = true;
    clearTimeout(this.silence);
    this.subscription.unsubscribe();
  }

  private break(): void {
    if (!this.open) return;
    this.leave();
    this.handlers.broken();
  }

  private close(): void {
    this.open = false;
    this.hearNoMore();
    clearInterval(this.heartbeat);
    for (const go of this.waiting.splice(0)) go();
  }
}

function read(data: Uint8Array): PipeMessage | null {
  try {
    return PipeMessage.parse(JSON.parse(Buffer.from(data).toString('utf8')));
  } catch {
    return null;
  }
}
