import type { EventDraft } from '@berth/messaging';

const FIRST_BYTES = 64 * 1024;
/** The binary form of PostgreSQL's `jsonb`: its version, then the text. */
const JSONB_VERSION = 1;

/** The event of a decision, and the request that it came of. */
export interface Denial {
  event: EventDraft;
  correlationId: string;
}

/**
 * Rows that wait to be written, as one array in JSON. As bytes beside the heap: as strings, all of them would outlive the young
 * generation and make the collector go through the old one every few seconds, which decisions wait for.
 */
export class DecisionRows {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private end = 1;
  /** In bytes, without the frame. */
  size = 0;
  count = 0;
  denials: Denial[] = [];

  constructor() {
    this.bytes[0] = JSONB_VERSION;
  }

  /** `row`: an object in JSON. Answers its bytes. */
  add(row: string, denial: Denial | null): number {
    this.makeRoom(row.length * 3 + 2);
    this.end += this.bytes.write(this.count === 0 ? '[' : ',', this.end);
    const written = this.bytes.write(row, this.end);
    this.end += written;
    this.size += written;
    this.count += 1;
    if (denial) this.denials.push(denial);
    return written;
  }

  /** For `$1::jsonb`; holds until the next row is added. */
  parameter(): Buffer {
    this.makeRoom(1);
    this.bytes.write(']', this.end);
    return this.bytes.subarray(0, this.end + 1);
  }

  clear(): void {
    this.end = 1;
    this.size = 0;
    this.count = 0;
    this.denials = [];
  }

  private makeRoom(more: number): void {
    if (this.end + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + more));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
