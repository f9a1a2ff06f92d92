import { buffer } from 'node:stream/consumers';
import { extract, pack, type Header } from 'tar-stream';
import { ContextSpool } from './context-spool.js';

const MIB = 1024 * 1024;
let spool: ContextSpool;
afterEach(() => spool.close());

async function archive(fill: (tar: ReturnType<typeof pack>) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  return buffer(tar);
}

async function of(data: Buffer, limit = MIB): Promise<ContextSpool> {
  spool = await ContextSpool.create(limit);
  for (let at = 0; at < data.length; at += 70_007) await spool.add(data.subarray(at, at + 70_007));
  return spool;
}

async function entriesOf(stream: AsyncIterable<Buffer>): Promise<[Partial<Header>, string][]> {
  const reader = extract();
  const found: [Partial<Header>, string][] = [];
  reader.end(await buffer(stream));
  for await (const entry of reader) {
    const { name, type, mode, linkname } = entry.header;
    found.push([{ name, type, mode, linkname }, (await buffer(entry)).toString()]);
  }
  return found;
}

test('a context passes as it came, but for the files that take the place of its own', async () => {
  const long = `${'a-long-name/'.repeat(20)}file`;
  const data = await archive((tar) => {
    tar.entry({ name: './Dockerfile' }, 'FROM a');
    tar.entry({ name: 'folder/', type: 'directory', mode: 0o750 });
    tar.entry({ name: 'folder/link', type: 'symlink', linkname: '../Dockerfile' });
    tar.entry({ name: 'hard', type: 'link', linkname: 'Dockerfile' });
    tar.entry({ name: long, mode: 0o755 }, 'x'.repeat(70_000));
    tar.entry({ name: './/.dockerignore' }, 'theirs');
    tar.entry({ name: 'zeros' }, Buffer.alloc(2_048));
  });
  const context = await of(data);
  expect(context.bytes).toBe(data.length);
  expect(await context.read('Dockerfile', 100)).toBe('FROM a');
  const passed = await entriesOf(context.with({ '.dockerignore': 'ours' }));
  expect(
    passed.map(([header, text]) => [header.name, header.type, header.mode, header.linkname, text.length]),
  ).toEqual([
    ['./Dockerfile', 'file', 0o644, null, 6],
    ['folder/', 'directory', 0o750, null, 0],
    ['folder/link', 'symlink', 0o644, '../Dockerfile', 0],
    ['hard', 'link', 0o644, 'Dockerfile', 0],
    [long, 'file', 0o755, null, 70_000],
    ['zeros', 'file', 0o644, null, 2_048],
    ['.dockerignore', 'file', 0o600, null, 4],
  ]);
});

test('of two files with one name the last counts', async () => {
  const context = await of(
    await archive((tar) => {
      tar.entry({ name: 'Dockerfile' }, 'FROM first');
      tar.entry({ name: './sub/../Dockerfile' }, 'FROM last');
    }),
  );
  expect(await context.read('./Dockerfile', 100)).toBe('FROM last');
});

test.each<[string, (tar: ReturnType<typeof pack>) => void, string]>([
  ['has no Dockerfile', (tar) => tar.entry({ name: 'other' }, 'x'), 'there is no "Dockerfile" in it'],
  ['is empty', () => undefined, 'it is empty'],
  [
    'has a link in its place',
    (tar) => tar.entry({ name: 'Dockerfile', type: 'symlink', linkname: '/etc/shadow' }),
    '"Dockerfile" is no plain file',
  ],
  [
    'has a huge one',
    (tar) => tar.entry({ name: 'Dockerfile' }, 'x'.repeat(101)),
    '"Dockerfile" is larger than 100B',
  ],
])('a context that %s is refused', async (_what, fill, told) => {
  const context = await of(await archive(fill));
  await expect(context.read('Dockerfile', 100)).rejects.toMatchObject({
    code: 'CONTEXT_INVALID',
    message: expect.stringContaining(told),
  });
});

test.each([
  ['nothing at all', Buffer.alloc(0)],
  ['no archive', Buffer.from('hello '.repeat(500))],
  ['a compressed one', Buffer.from([0x1f, 0x8b, 8, 0, ...Buffer.alloc(600)])],
])('%s is no context', async (_what, data) => {
  await expect((await of(data)).read('Dockerfile', 100)).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
});

test('one that breaks off is refused, when it is read and when it is passed on', async () => {
  const whole = await archive((tar) => tar.entry({ name: 'Dockerfile' }, 'x'.repeat(5_000)));
  const context = await of(whole.subarray(0, 3_000));
  await expect(context.read('Dockerfile', 10_000)).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
  await expect(buffer(context.with({}))).rejects.toThrow();
});

test('a header that would have to be held in memory is refused', async () => {
  const huge = await archive((tar) => {
    tar.entry({ name: 'Dockerfile' }, 'FROM a');
    tar.entry({ name: 'x', pax: { comment: 'y'.repeat(9 * MIB) } }, 'z');
  });
  const context = await of(huge, 20 * MIB);
  await expect(context.read('Dockerfile', 100)).rejects.toMatchObject({
    code: 'CONTEXT_INVALID',
    message: expect.stringContaining('Header exceeds max size'),
  });
});

test('a large file is none', async () => {
  const context = await of(
    await archive((tar) => {
      tar.entry({ name: 'large' }, Buffer.alloc(12 * MIB));
      tar.entry({ name: 'Dockerfile' }, 'FROM a');
    }),
    20 * MIB,
  );
  expect(await context.read('Dockerfile', 100)).toBe('FROM a');
});

test('more than may come is refused as it comes', async () => {
  await expect(of(Buffer.alloc(2_000), 1_000)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
});
