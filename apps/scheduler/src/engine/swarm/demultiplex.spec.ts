import { demultiplex, Demultiplexer } from './demultiplex.js';

function frame(stream: 1 | 2, payload: Buffer | string): Buffer {
  const content = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

describe('the multiplexed output of a container', () => {
  const euro = Buffer.from('€\n');
  const output = Buffer.concat([
    frame(1, 'one\ntw'),
    frame(2, 'err\n'),
    frame(1, 'o\r\n\n'),
    frame(1, euro.subarray(0, 2)),
    frame(1, euro.subarray(2)),
    frame(2, 'no end'),
  ]);
  const lines = [
    { stream: 'stdout', line: 'one' },
    { stream: 'stderr', line: 'err' },
    { stream: 'stdout', line: 'two' },
    { stream: 'stdout', line: '' },
    { stream: 'stdout', line: '€' },
    { stream: 'stderr', line: 'no end' },
  ];

  it('is lines of two streams', () => expect(demultiplex(output)).toEqual(lines));

  it.each([1, 3, 7, 8, 9, 20])('comes in pieces of %i bytes as well', (size) => {
    const demultiplexer = new Demultiplexer();
    const got = [];
    for (let at = 0; at < output.length; at += size)
      got.push(...demultiplexer.push(output.subarray(at, at + size)));
    expect([...got, ...demultiplexer.end()]).toEqual(lines);
  });

  it('is cut where a line does not end', () => {
    const got = new Demultiplexer().push(frame(1, 'x'.repeat(100_000)));
    expect(got).toHaveLength(1);
  });
});
