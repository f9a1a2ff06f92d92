export interface StreamLine {
  stream: 'stdout' | 'stderr';
  line: string;
}

const HEADER = 8;
/** A container may write without ever ending a line. */
const MAX_LINE = 65_536;

/**
 * Splits the engine's multiplexed output into lines (Docker Engine API, "Stream format": stream, three zeros, length in
 * big endian, payload). Takes it in pieces of any size.
 */
export class Demultiplexer {
  private pending: Buffer = Buffer.alloc(0);
  private readonly rest = { stdout: '', stderr: '' };
  // One decoder each: a letter of several bytes may lie across two frames.
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  push(chunk: Buffer): StreamLine[] {
    this.pending = this.pending.length > 0 ? Buffer.concat([this.pending, chunk]) : chunk;
    const lines: StreamLine[] = [];
    while (this.pending.length >= HEADER) {
      const length = this.pending.readUInt32BE(4);
      if (this.pending.length < HEADER + length) break;
      const stream = this.pending[0] === 2 ? 'stderr' : 'stdout';
      lines.push(...this.add(stream, this.pending.subarray(HEADER, HEADER + length)));
      this.pending = this.pending.subarray(HEADER + length);
    }
    return lines;
  }

  /** What was written after the last end of a line. */
  end(): StreamLine[] {
    return (['stdout', 'stderr'] as const).flatMap((stream) =>
      this.rest[stream] === '' ? [] : [{ stream, line: this.rest[stream] }],
    );
  }

  private add(stream: 'stdout' | 'stderr', payload: Buffer): StreamLine[] {
    const parts = (this.rest[stream] + this.decoders[stream].decode(payload, { stream: true })).split('\n');
    this.rest[stream] = parts.pop() ?? '';
    if (this.rest[stream].length > MAX_LINE) {
      parts.push(this.rest[stream]);
      this.rest[stream] = '';
    }
    return parts.map((line) => ({ stream, line: line.replace(/\r$/, '') }));
  }
}

/** All lines of a whole output. */
export function demultiplex(output: Buffer): StreamLine[] {
  const demultiplexer = new Demultiplexer();
  return [...demultiplexer.push(output), ...demultiplexer.end()];
}
