import { Readable } from 'node:stream';

export interface SseEvent {
  event: string;
  data: unknown;
}

export interface SseOptions {
  /**
   * What waits for a slow client: `latest` keeps only the newest event, as each says all there is to say; a number keeps
   * that many, and counts those that found no room in an event `lost`.
   */
  keep: 'latest' | number;
}

/** A client that reads nothing for this long and comes back asks again after this many milliseconds. */
const RETRY_MS = 1_000;

/**
 * Server-sent events for one client (WHATWG HTML, 9.2). It is pulled: what the client has not taken waits here, within
 * bounds, so a slow client costs no memory.
 */
export class SseStream extends Readable {
  private readonly waiting: SseEvent[] = [];
  private lost = 0;
  private sequence = 0;
  private hungry = false;
  private ending = false;
  private lead = `retry: ${RETRY_MS}\n\n`;

  constructor(private readonly options: SseOptions) {
    super({ highWaterMark: 64 * 1024 });
  }

  /** How many events the client has not taken yet, beside what is on its way. */
  get waitingEvents(): number {
    return this.waiting.length;
  }

  send(event: SseEvent): void {
    if (this.ending || this.destroyed) return;
    const { keep } = this.options;
    if (keep === 'latest') this.waiting.length = 0;
    if (keep !== 'latest' && this.waiting.length >= keep) this.lost++;
    else this.waiting.push(event);
    this.deliver();
  }

  /** A comment, so that proxies and clients see that the connection lives. Says nothing to a client that has enough to read. */
  heartbeat(): void {
    if (!this.hungry || this.ending) return;
    this.hungry = this.push(': alive\n\n');
  }

  /** Ends it after what waits has been taken. */
  finish(last?: SseEvent): void {
    if (last) this.send(last);
    this.ending = true;
    this.deliver();
  }

  override _read(): void {
    this.hungry = true;
    this.deliver();
  }

  private deliver(): void {
    while (this.hungry && !this.destroyed) {
      const text = this.next();
      if (text !== null) this.hungry = this.push(text);
      else if (this.ending) this.hungry = this.push(null);
      else return;
    }
  }

  private next(): string | null {
    if (this.lead) {
      const lead = this.lead;
      this.lead = '';
      return lead;
    }
    const event = this.waiting.shift();
    if (event) return this.render(event);
    if (!this.lost) return null;
    const count = this.lost;
    this.lost = 0;
    return this.render({ event: 'lost', data: { count } });
  }

  private render({ event, data }: SseEvent): string {
    return `id: ${++this.sequence}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
