import { Readable } from 'node:stream';
import { SegmentReader } from './segments.js';

const CONTENT = Buffer.from('what is in the segment');

describe('reading segments', () => {
  let opened: number[];

  /** A storage that ends each answer with an error after so many bytes. */
  const readerOf = (most: number): SegmentReader => {
    opened = [];
    const get = (_key: string, from: number, to: number): Promise<Readable> => {
      opened.push(from);
      const wanted = CONTENT.subarray(from, to + 1);
      async function* answer(): AsyncGenerator<Buffer> {
        yield await Promise.resolve(wanted.subarray(0, most));
        if (wanted.length > most) throw new Error('the connection was idle for too long');
      }
      return Promise.resolve(Readable.from(answer()));
    };
    return new SegmentReader({ get }, [{ key: 'segment', size: CONTENT.length }]);
  };

  it('goes on where an answer ended that nobody read from for long', async () => {
    const reader = readerOf(10);
    const buffer = Buffer.alloc(10);
    let read = '';
    for (let at = 0; at < CONTENT.length;) {
      const got = await reader.read(buffer, at);
      read += buffer.subarray(0, got).toString();
      at += got;
    }
    expect(read).toBe(CONTENT.toString());
    expect(opened).toEqual([0, 10, 20]);
    reader.close();
  });

  it('fails where a new answer is no longer than what was wanted of it', async () => {
    await expect(readerOf(5).read(Buffer.alloc(10), 0)).rejects.toThrow('idle for too long');
  });

  describe('of which there are several', () => {
    const SEGMENTS = ['one', 'two', 'three'].map((key) => ({ key, size: 3 * 1024 * 1024 }));
    const whole = Buffer.concat(SEGMENTS.map(({ key, size }) => Buffer.alloc(size, key)));
    let streams: Readable[];

    function reader(get?: () => Promise<Readable>): SegmentReader {
      opened = [];
      streams = [];
      const answer = (key: string, from: number, to: number): Promise<Readable> => {
        const at = SEGMENTS.findIndex((segment) => segment.key === key) * SEGMENTS[0].size;
        opened.push(at + from);
        const stream = Readable.from([whole.subarray(at + from, at + to + 1)]);
        streams.push(stream);
        return get ? get() : Promise.resolve(stream);
      };
      return new SegmentReader({ get: answer }, SEGMENTS);
    }
    async function all(of: SegmentReader, piece: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      for (let at = 0; at < whole.length;) {
        const buffer = Buffer.alloc(piece);
        const got = await of.read(buffer, at);
        parts.push(buffer.subarray(0, got));
        at += got;
      }
      return Buffer.concat(parts);
    }

    it('asks for the next one before it is there, once for each', async () => {
      const segments = reader();
      await segments.read(Buffer.alloc(1_500_000), 0);
      expect(opened).toEqual([0, SEGMENTS[0].size]);
      for (const piece of [100_000, 700_001, 4_000_000]) {
        const again = reader();
        expect((await all(again, piece)).equals(whole)).toBe(true);
        expect(opened).toEqual([0, 1, 2].map((number) => number * SEGMENTS[0].size));
        again.close();
      }
      segments.close();
    });

    it('asks again where that was in vain', async () => {
      let asked = 0;
      const segments = reader(() => {
        asked += 1;
        return asked === 2 ? Promise.reject(new Error('away')) : Promise.resolve(streams.at(-1)!);
      });
      expect((await all(segments, 500_000)).equals(whole)).toBe(true);
      expect(opened.filter((at) => at === SEGMENTS[0].size)).toHaveLength(2);
      segments.close();
    });

    it('leaves nothing open', async () => {
      const segments = reader();
      await segments.read(Buffer.alloc(1_500_000), 0);
      segments.close();
      await new Promise(setImmediate);
      expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    });
  });
});
