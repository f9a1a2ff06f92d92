import type { ServerResponse } from 'node:http';

/** The metadata of an environment as an event of a stream. */
export interface WatchEvent {
  tag: string;
  bytes: Buffer;
}

/** `text/event-stream` (HTML standard, 9.2), with the tag as the id to go on from. */
export function watchEvent(tag: string, metadata: unknown): WatchEvent {
  return { tag, bytes: Buffer.from(`event: metadata\nid: ${tag}\ndata: ${JSON.stringify(metadata)}\n\n`) };
}

/**
 * One who watches. Who reads slowly is told the latest only: one event is on its way at a time, and of those that come
 * meanwhile the last one counts.
 */
export class Watcher {
  private waiting: WatchEvent | null = null;

  /** `last`: the tag that it knows already. */
  constructor(
    private readonly response: ServerResponse,
    private last: string | undefined,
  ) {
    response.on('drain', () => {
      if (this.waiting) this.offer(this.waiting);
    });
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    response.write('retry: 1000\n\n');
  }

  offer(event: WatchEvent): void {
    this.waiting = null;
    if (event.tag === this.last) return;
    if (this.response.writableNeedDrain) {
      this.waiting = event;
      return;
    }
    this.last = event.tag;
    this.response.write(event.bytes);
  }

  /** A sign of life: without one, neither end notices that the other is gone. */
  beat(): void {
    if (!this.response.writableNeedDrain) this.response.write(':\n\n');
  }

  end(): void {
    this.response.end();
  }
}
