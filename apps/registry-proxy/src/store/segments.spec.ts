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
});
