import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

const NEWLINE = 0x0a;
const TOLD = /^fingerprint=(\S+)$/m;

/** Passes a dump on, and works out how much it is and what names what it holds. */
export class Fingerprint extends Transform {
  bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly ignored: RegExp | null;
  private rest: Buffer = Buffer.alloc(0);

  /** `volatileLines`: lines that say nothing of what the dump holds. */
  constructor(volatileLines: string | null) {
    super();
    this.ignored = volatileLines === null ? null : new RegExp(volatileLines);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (!this.ignored) this.hash.update(chunk);
    else this.add(chunk, this.ignored);
    done(null, chunk);
  }

  /** What the dump is called by: what whoever made it said, else a hash of its lines. */
  result(errors: string): string {
    if (this.ignored && this.rest.length > 0) this.line(this.rest, this.ignored);
    return TOLD.exec(errors)?.[1] ?? `sha256:${this.hash.digest('hex')}`;
  }

  private add(chunk: Buffer, ignored: RegExp): void {
    let data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE)) {
      this.line(data.subarray(0, end + 1), ignored);
      data = data.subarray(end + 1);
    }
    this.rest = data;
  }

  private line(line: Buffer, ignored: RegExp): void {
    if (!ignored.test(line.toString('latin1'))) this.hash.update(line);
  }
}
