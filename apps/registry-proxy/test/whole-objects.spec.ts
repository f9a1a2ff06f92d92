import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { createLogger } from '@berth/runtime';
import { eventually, makeBucket, type ObjectStorageAddress, type TestDatabase } from '@berth/testing';
import { digestOf, type Digest } from '../src/names/digest.js';
import { BlobNames } from '../src/store/blob-names.js';
import { ObjectBlobStore } from '../src/store/object-blob-store.js';
import { ObjectLayout } from '../src/store/object-layout.js';
import { SEGMENT_BYTES } from '../src/store/object-partial-blob.js';
import { ObjectStorage } from '../src/store/object-storage.js';
import { blobNamesDatabase } from './blob-names-database.js';

const LATER = (): Date => new Date(Date.now() + 60_000);
const LARGE = randomBytes(2 * SEGMENT_BYTES + 12_345);
const CHUNK_BYTES = 60_000;
const PREFIX = 'some/where/';

describe('blobs that clients may fetch from the object storage', () => {
  let storage: ObjectStorageAddress;
  let bucket: string;
  let client: S3Client;
  let database: TestDatabase;
  let store: ObjectBlobStore;
  const opened: ObjectBlobStore[] = [];

  beforeEach(async () => {
    bucket = `whole-${randomUUID()}`;
    storage = await makeBucket(bucket);
    const { endpoint, region, ...credentials } = storage;
    client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    database = await blobNamesDatabase();
    store = open();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    client.destroy();
    await database.drop();
  });

  const settings = (redirect: boolean | string = true) => ({ ...storage, bucket, prefix: PREFIX, redirect });
  function open(redirect?: boolean | string): ObjectBlobStore {
    const one = new ObjectBlobStore(
      settings(redirect),
      database.url,
      createLogger('registry-proxy', 'silent'),
    );
    opened.push(one);
    return one;
  }
  async function put(content: Buffer, piece = content.length): Promise<Digest> {
    let upload = await store.startUpload();
    for (let at = 0; at < content.length; at += piece) {
      if (at > 0) upload = (await store.continueUpload(upload.name, at))!;
      for (let from = at; from < Math.min(at + piece, content.length); from += CHUNK_BYTES)
        await upload.append([content.subarray(from, Math.min(from + CHUNK_BYTES, at + piece))]);
      await upload.append([Buffer.from('what comes after that was never acknowledged')]);
      await upload.close();
    }
    upload = (await store.continueUpload(upload.name, content.length))!;
    await upload.commit(digestOf(content));
    await upload.close();
    return digestOf(content);
  }
  async function address(digest: Digest, of = store): Promise<string | null> {
    const blob = (await of.open(digest))!;
    try {
      return await blob.address();
    } finally {
      await blob.close();
    }
  }
  async function whole(digest: Digest): Promise<string> {
    return eventually(async () => {
      const found = await address(digest);
      if (found === null) throw new Error('it is not whole');
      return found;
    });
  }
  async function bytesAt(url: string): Promise<Buffer> {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }
  async function readThrough(digest: Digest): Promise<Buffer> {
    const blob = (await store.open(digest))!;
    const buffer = Buffer.alloc(blob.size);
    expect(await blob.read(buffer, 0)).toBe(blob.size);
    await blob.close();
    return buffer;
  }
  async function sweep(): Promise<void> {
    for (const name of await store.uploadsUntouchedSince(LATER())) await store.discardUpload(name);
  }
  async function keys(below = ''): Promise<string[]> {
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${PREFIX}${below}` }),
    );
    return Contents.map(({ Key = '' }) => Key);
  }

  it.each([
    ['one stream', LARGE.length],
    ['pieces that are too small to be parts', 3 * 1024 * 1024],
  ])('are there whole after the first has read them, when they came in %s', async (_how, piece) => {
    const digest = await put(LARGE, piece);
    expect(await address(digest)).toBeNull();
    const url = await whole(digest);
    expect((await bytesAt(url)).equals(LARGE)).toBe(true);
    expect((await readThrough(digest)).equals(LARGE)).toBe(true);
    const part = await fetch(url, { headers: { range: 'bytes=8388600-8388619' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 8388600-8388619/${LARGE.length}`,
    ]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(LARGE.subarray(8_388_600, 8_388_620));
    // And the bytes of before go, as nobody reads them any more.
    await sweep();
    expect(await keys('data/')).toHaveLength(1);
    expect(await keys('open/')).toEqual([]);
    expect((await bytesAt(await whole(digest))).equals(LARGE)).toBe(true);
  });

  it('let who reads the segments read on', async () => {
    const digest = await put(LARGE);
    const reading = (await store.open(digest))!;
    const first = Buffer.alloc(100);
    await reading.read(first, 0);
    await reading.address();
    await whole(digest);
    const rest = Buffer.alloc(LARGE.length - 100);
    expect(await reading.read(rest, 100)).toBe(rest.length);
    expect(Buffer.concat([first, rest]).equals(LARGE)).toBe(true);
    await reading.close();
  });

  it('are open to nobody without the signature, nor for another method or object', async () => {
    const url = new URL(await whole(await put(LARGE)));
    const other = await whole(await put(randomBytes(SEGMENT_BYTES + 1)));
    expect(Number(url.searchParams.get('X-Amz-Expires'))).toBe(300);
    expect(url.href).not.toContain(storage.secretAccessKey);
    const statuses = await Promise.all([
      fetch(`${url.origin}${url.pathname}`).then(({ status }) => status),
      fetch(`${new URL(other).origin}${new URL(other).pathname}${url.search}`).then(({ status }) => status),
      fetch(url, { method: 'DELETE' }).then(({ status }) => status),
    ]);
    // Without a signature, Swift takes it for no request of the S3 API.
    expect(statuses).toEqual([400, 403, 403]);
  });

  it('are not those of one segment, nor any where clients are sent nowhere', async () => {
    const small = await put(randomBytes(SEGMENT_BYTES));
    const large = await put(LARGE);
    const none = open(false);
    expect([await address(small), await address(large, none)]).toEqual([null, null]);
    await Promise.all(opened.splice(0).map((one) => one.close()));
    store = open();
    expect(await address(small)).toBeNull();
    // Nobody had asked for it by an instance that sends clients there.
    expect(await address(large)).toBeNull();
  });

  it('are signed for the URL by which clients reach it', async () => {
    const { port, hostname } = new URL(storage.endpoint);
    const digest = await put(LARGE);
    await whole(digest);
    const elsewhere = await address(digest, open(`http://localhost:${port}`));
    expect(new URL(elsewhere!).hostname).toBe('localhost');
    expect(hostname).not.toBe('localhost');
    expect((await bytesAt(elsewhere!)).equals(LARGE)).toBe(true);
  });

  it('do not come back when they are removed while they are made whole', async () => {
    const digest = await put(LARGE);
    await address(digest);
    await store.remove(digest);
    await Promise.all(opened.splice(0).map((one) => one.close()));
    store = open();
    expect(await store.open(digest)).toBeNull();
    await sweep();
    expect(await keys()).toEqual([]);
  });

  it('are those of one instance, when several make them at once', async () => {
    const digest = await put(LARGE);
    const instances = [store, open(), open()];
    await Promise.all(instances.map((one) => address(digest, one)));
    const urls = await eventually(async () => {
      const found = await Promise.all(instances.map((one) => address(digest, one)));
      if (found.includes(null)) throw new Error('not yet');
      return found as string[];
    });
    expect(new Set(urls.map((url) => new URL(url).pathname)).size).toBe(1);
    await Promise.all(opened.splice(0).map((one) => one.close()));
    store = open();
    await sweep();
    expect(await keys('data/')).toHaveLength(1);
    expect((await bytesAt(await whole(digest))).equals(LARGE)).toBe(true);
  });

  it('leave nothing of what an instance began that was killed', async () => {
    const digest = digestOf(LARGE);
    const name = randomUUID();
    const names = new BlobNames(database.url);
    const layout = new ObjectLayout(new ObjectStorage(settings()), names);
    const key = layout.wholeKey(name);
    await layout.announce(digest, { data: name, segments: [{ key, size: LARGE.length }] });
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `${PREFIX}${key}` }));
    await layout.close();
    const begun = async (): Promise<number> =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
    expect(await begun()).toBe(1);
    await sweep();
    expect([await begun(), await keys()]).toEqual([0, []]);
  });

  it('are sent from here when the storage cannot make them whole', async () => {
    const digest = await put(LARGE);
    let asked = 0;
    const without = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(501, { connection: 'close' }).end('<Error><Code>NotImplemented</Code></Error>');
    }).listen(0, '127.0.0.1');
    await eventually(() => expect(without.address()).not.toBeNull());
    const { port } = without.address() as { port: number };
    const names = { ...settings(), endpoint: `http://127.0.0.1:${port}` };
    const poor = new ObjectBlobStore(names, database.url, createLogger('registry-proxy', 'silent'));
    opened.push(poor);
    expect(await address(digest, poor)).toBeNull();
    await eventually(() => expect(asked).toBeGreaterThan(0));
    expect(await address(digest, poor)).toBeNull();
    without.closeAllConnections();
    without.close();
    expect((await readThrough(digest)).equals(LARGE)).toBe(true);
  });
});
