export interface StreamLine {
  stream: 'stdout' | 'stderr';
  line: string;
}

const HEADER = 8;
/** A container may write without ever ending a line. */
const MAX_LINE = 65_536;

export interface Frame {
  stream: 'stdout' | 'stderr';
  payload: Buffer;
}

/**
 * Takes the engine's multiplexed output apart (Docker Engine API, "Stream format": stream, three zeros, length in big
 * endian, payload). It comes in pieces of any size.
 */
export class FrameReader {
  private pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.pending = this.pending.length > 0 ? Buffer.concat([this.pending, chunk]) : chunk;
    const frames: Frame[] = [];
    while (this.pending.length >= HEADER) {
      const length = this.pending.readUInt32BE(4);
      if (this.pending.length < HEADER + length) break;
      const stream = this.pending[0] === 2 ? 'stderr' : 'stdout';
      frames.push({ stream, payload: this.pending.subarray(HEADER, HEADER + length) });
      this.pending = this.pending.subarray(HEADER + length);
    }
    return frames;
  }
}

/** Splits multiplexed output into lines. */
export class Demultiplexer {
  private readonly frames = new FrameReader();
  private readonly rest = { stdout: '', stderr: '' };
  // One decoder each: a letter of several bytes may lie across two frames.
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  push(chunk: Buffer): StreamLine[] {
    return this.frames.push(chunk).flatMap(({ stream, payload }) => this.add(stream, payload));
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
