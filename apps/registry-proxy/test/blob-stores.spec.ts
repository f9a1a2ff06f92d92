import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, makeBucket, type TestDatabase } from '@berth/testing';
import { createLogger } from '@berth/runtime';
import { digestOf, type Digest } from '../src/names/digest.js';
import { BlobNames } from '../src/store/blob-names.js';
import type { BlobStore, PartialBlob } from '../src/store/blob-store.js';
import { FileBlobStore } from '../src/store/file-blob-store.js';
import { ObjectBlobStore } from '../src/store/object-blob-store.js';
import { SEGMENT_BYTES } from '../src/store/object-partial-blob.js';
import { blobNamesDatabase } from './blob-names-database.js';

const LOGGER = createLogger('registry-proxy', 'silent');
const A = Buffer.from('first half, ');
const B = Buffer.from('second half');
const WHOLE = Buffer.concat([A, B]);
const DIGEST = digestOf(WHOLE);
const LATER = (): Date => new Date(Date.now() + 60_000);

/** Opens the store as one instance; another call opens it as another one. */
type Open = () => Promise<BlobStore>;

const KINDS: [string, () => Promise<{ open: Open; end: () => Promise<void> }>][] = [
  [
    'on files',
    async () => {
      const root = await mkdtemp(join(tmpdir(), 'berth-store-'));
      return { open: () => FileBlobStore.open(root), end: () => rm(root, { recursive: true, force: true }) };
    },
  ],
  [
    'in an object storage',
    async () => {
      const bucket = `blobs-${randomUUID()}`;
      const storage = await makeBucket(bucket);
      const database = await blobNamesDatabase();
      const settings = { ...storage, bucket, prefix: 'some/where/', redirect: false };
      const open = (): Promise<BlobStore> =>
        Promise.resolve(new ObjectBlobStore(settings, database.url, LOGGER));
      return { open, end: () => database.drop() };
    },
  ],
];

it('says so when its storage or its database does not answer', async () => {
  const port = await freePort();
  const nowhere = new ObjectBlobStore(
    {
      ...{ endpoint: `http://127.0.0.1:${port}`, region: 'x', bucket: 'b', prefix: '' },
      ...{ accessKeyId: 'a', secretAccessKey: 's', redirect: false },
    },
    `postgres://nobody:x@127.0.0.1:${port}/none`,
    LOGGER,
  );
  await expect(nowhere.size(DIGEST)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE', status: 503 });
  await expect(nowhere.receive()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503 });
  await nowhere.close();
});

describe('which bytes are which blob', () => {
  let database: TestDatabase;
  let names: BlobNames;
  beforeAll(async () => {
    database = await blobNamesDatabase();
    names = new BlobNames(database.url);
  });
  afterAll(async () => {
    await names.close();
    await database.drop();
  });
  const filed = () => ({ data: randomUUID(), segments: [{ key: 'a', size: 1 }] });

  it('is not changed by who comes late', async () => {
    const [old, present] = [filed(), filed()];
    expect(await names.set(DIGEST, old, null)).toBe(true);
    expect(await names.set(DIGEST, present, old.data)).toBe(true);
    await names.remove(DIGEST, old.data);
    expect(await names.set(DIGEST, filed(), old.data)).toBe(false);
    expect(await names.set(DIGEST, filed(), null)).toBe(false);
    expect(await names.find(DIGEST)).toEqual(present);
    await names.remove(DIGEST, present.data);
    expect(await names.find(DIGEST)).toBeNull();
  });

  it('is told of all, however many', async () => {
    const many = Array.from({ length: 2_001 }, (_none, index) => digestOf(Buffer.from(String(index))));
    await Promise.all(many.map((digest) => names.set(digest, filed(), null)));
    const told: string[] = [];
    for await (const digest of names.storedBefore(LATER())) told.push(digest);
    expect(told).toEqual([...many].sort());
  });
});

describe.each(KINDS)('a store %s', (_name, make) => {
  let store: BlobStore;
  let other: BlobStore;
  let end: () => Promise<void>;

  beforeEach(async () => {
    const made = await make();
    end = made.end;
    store = await made.open();
    other = await made.open();
  });
  afterEach(async () => {
    await store.close();
    await other.close();
    await end();
  });

  async function wholeOf(digest: Digest, of = store): Promise<Buffer | null> {
    const blob = await of.open(digest);
    if (blob === null) return null;
    try {
      return await readAll((buffer, position) => blob.read(buffer, position), blob.size);
    } finally {
      await blob.close();
    }
  }
  async function readAll(
    read: (buffer: Buffer, position: number) => Promise<number>,
    size: number,
    piece = 300_000,
  ): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = 0; at < size;) {
      const buffer = Buffer.alloc(Math.min(piece, size - at));
      const got = await read(buffer, at);
      if (got === 0) break;
      parts.push(buffer.subarray(0, got));
      at += got;
    }
    return Buffer.concat(parts);
  }
  async function put(content: Buffer, into = store): Promise<Digest> {
    const partial = await into.receive();
    await partial.append([content]);
    await partial.commit(digestOf(content));
    await partial.close();
    return digestOf(content);
  }
  const written = async (partial: PartialBlob, ...chunks: Buffer[]): Promise<PartialBlob> => {
    await partial.append(chunks);
    return partial;
  };
  const all = async (digests: AsyncIterable<Digest>): Promise<Digest[]> => {
    const found: Digest[] = [];
    for await (const digest of digests) found.push(digest);
    return found;
  };

  it('shows a blob only once it is committed, and to every instance', async () => {
    const partial = await written(await store.receive(), A, B);
    expect([await store.size(DIGEST), await store.open(DIGEST)]).toEqual([null, null]);
    await partial.commit(DIGEST);
    await partial.close();
    for (const instance of [store, other]) {
      expect(await instance.size(DIGEST)).toBe(WHOLE.length);
      expect(await wholeOf(DIGEST, instance)).toEqual(WHOLE);
    }
  });

  it('holds what is empty, and what is large, to be read from anywhere', async () => {
    const empty = await put(Buffer.alloc(0));
    expect([await store.size(empty), await wholeOf(empty)]).toEqual([0, Buffer.alloc(0)]);
    const large = randomBytes(2 * SEGMENT_BYTES + 12_345);
    const digest = await put(large);
    expect((await wholeOf(digest, other))?.equals(large)).toBe(true);
    const blob = (await other.open(digest))!;
    for (const from of [0, SEGMENT_BYTES - 10, SEGMENT_BYTES, 2 * SEGMENT_BYTES + 12_340]) {
      const buffer = Buffer.alloc(20);
      const got = await blob.read(buffer, from);
      expect([from, buffer.subarray(0, got).equals(large.subarray(from, from + 20))]).toEqual([from, true]);
    }
    expect(await blob.read(Buffer.alloc(10), large.length)).toBe(0);
    await blob.close();
  });

  it('lets a partial blob be read by many while it grows, and after its commit', async () => {
    const large = randomBytes(SEGMENT_BYTES + 1_000_000);
    const partial = await written(await store.receive(), large.subarray(0, 5_000_000));
    const early = await readAll((buffer, at) => partial.read(buffer, at), 5_000_000);
    expect(early.equals(large.subarray(0, 5_000_000))).toBe(true);
    await partial.append([large.subarray(5_000_000)]);
    await partial.commit(digestOf(large));
    const readers = await Promise.all(
      [100_000, 250_000, 400_000].map((piece) =>
        readAll((buffer, at) => partial.read(buffer, at), large.length, piece),
      ),
    );
    for (const read of readers) expect(read.equals(large)).toBe(true);
    await partial.close();
  });

  it('lets another instance follow what one receives, until it is whole', async () => {
    const large = randomBytes(SEGMENT_BYTES + 1_000_000);
    const partial = await written(await store.receive(), large.subarray(0, SEGMENT_BYTES));
    const followed = (await other.follow(partial.name))!;
    await eventually(async () => expect(await followed.size()).toBe(SEGMENT_BYTES));
    const first = await readAll((buffer, at) => followed.read(buffer, at), SEGMENT_BYTES);
    expect(first.equals(large.subarray(0, SEGMENT_BYTES))).toBe(true);
    await partial.append([large.subarray(SEGMENT_BYTES)]);
    await partial.commit(digestOf(large));
    await partial.close();
    expect(await followed.size()).toBe(large.length);
    expect((await readAll((buffer, at) => followed.read(buffer, at), large.length)).equals(large)).toBe(true);
    await followed.close();
    expect(await other.follow(randomUUID())).toBeNull();
  });

  it('leaves nothing of a discarded partial blob', async () => {
    const partial = await written(await store.startUpload(), A);
    await partial.discard();
    expect(await store.continueUpload(partial.name, 0)).toBeNull();
    expect(await store.uploadsUntouchedSince(LATER())).toEqual([]);
  });

  it('takes a blob that is stored already, and lets who reads it read on', async () => {
    await put(WHOLE);
    const reading = (await other.open(DIGEST))!;
    await put(WHOLE);
    await store.discardUpload('none');
    expect(await readAll((buffer, at) => reading.read(buffer, at), WHOLE.length)).toEqual(WHOLE);
    await reading.close();
    expect(await wholeOf(DIGEST)).toEqual(WHOLE);
    // And what a sweep finds of the one before takes nothing from the one that is.
    for (const name of await store.uploadsUntouchedSince(LATER())) await store.discardUpload(name);
    expect(await wholeOf(DIGEST)).toEqual(WHOLE);
  });

  it('lets who reads a blob read on when it is removed; then it is gone', async () => {
    const large = randomBytes(SEGMENT_BYTES + 100);
    const digest = await put(large);
    const reading = (await other.open(digest))!;
    await store.remove(digest);
    await store.remove(digest);
    expect([await store.size(digest), await other.open(digest)]).toEqual([null, null]);
    expect((await readAll((buffer, at) => reading.read(buffer, at), large.length)).equals(large)).toBe(true);
    await reading.close();
    for (const name of await store.uploadsUntouchedSince(LATER())) await store.discardUpload(name);
    expect(await store.uploadsUntouchedSince(LATER())).toEqual([]);
  });

  it('is whole when several store the same at once, and keeps the bytes of one alone', async () => {
    const partials = await Promise.all(
      [store, other, store, other].map(async (into) => written(await into.receive(), WHOLE)),
    );
    await Promise.all(partials.map((partial) => partial.commit(DIGEST)));
    await Promise.all(partials.map((partial) => partial.close()));
    for (const name of await store.uploadsUntouchedSince(LATER())) await store.discardUpload(name);
    expect(await store.uploadsUntouchedSince(LATER())).toEqual([]);
    expect(await wholeOf(DIGEST, other)).toEqual(WHOLE);
  });

  it('puts away what is damaged', async () => {
    const digest = await put(WHOLE);
    await store.quarantine(digest);
    await store.quarantine(digest);
    expect(await other.size(digest)).toBeNull();
    await put(WHOLE);
    expect(await wholeOf(digest)).toEqual(WHOLE);
  });

  it('tells what came before a time', async () => {
    const digests = [await put(A), await put(B)].sort();
    expect((await all(store.storedBefore(LATER()))).sort()).toEqual(digests);
    expect(await all(store.storedBefore(new Date(Date.now() - 60_000)))).toEqual([]);
  });

  it('continues an upload in another instance where it was acknowledged, and cuts off what was not', async () => {
    const first = await written(await store.startUpload(), A, Buffer.from('never acknowledged'));
    await first.close();
    const second = (await other.continueUpload(first.name, A.length))!;
    expect(second.size).toBe(A.length);
    expect(await readAll((buffer, at) => second.read(buffer, at), A.length)).toEqual(A);
    await second.append([B]);
    await second.close();
    const third = (await store.continueUpload(first.name, WHOLE.length))!;
    await third.commit(DIGEST);
    await third.close();
    expect(await wholeOf(DIGEST)).toEqual(WHOLE);
    expect(await store.continueUpload(first.name, 0)).toBeNull();
    expect(await store.uploadsUntouchedSince(LATER())).toEqual([]);
  });

  it('forks an upload away from a writer that may still be writing', async () => {
    const stuck = await written(await store.startUpload(), A);
    await stuck.close();
    const stuckStill = (await store.continueUpload(stuck.name, A.length))!;
    const fork = (await other.forkUpload(stuck.name, A.length))!;
    await stuckStill.append([Buffer.from('late bytes of the former writer')]);
    await fork.append([B]);
    await stuckStill.close();
    await other.discardUpload(stuck.name);
    await fork.commit(DIGEST);
    await fork.close();
    expect(await wholeOf(DIGEST)).toEqual(WHOLE);
  });

  it('does not trust an upload that is shorter than was acknowledged', async () => {
    const upload = await written(await store.startUpload(), A);
    await upload.close();
    expect(await store.continueUpload(upload.name, A.length + 1)).toBeNull();
  });

  it('names the uploads that nobody wrote to since a time', async () => {
    const upload = await written(await store.startUpload(), A);
    await upload.close();
    expect(await store.uploadsUntouchedSince(LATER())).toEqual([upload.name]);
    expect(await store.uploadsUntouchedSince(new Date(Date.now() - 60_000))).toEqual([]);
  });
});
