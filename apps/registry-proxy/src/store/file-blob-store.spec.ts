import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../names/digest.js';
import { FileBlobStore } from './file-blob-store.js';
import { FilePartialBlob } from './file-partial-blob.js';

const A = Buffer.from('first half, ');
const B = Buffer.from('second half');
const WHOLE = Buffer.concat([A, B]);
const DIGEST = digestOf(WHOLE);

describe('the store on files', () => {
  let root: string;
  let store: FileBlobStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'berth-store-'));
    store = await FileBlobStore.open(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function readWhole(digest = DIGEST): Promise<Buffer | null> {
    const blob = await store.open(digest);
    if (blob === null) return null;
    const buffer = Buffer.alloc(blob.size);
    await blob.read(buffer, 0);
    await blob.close();
    return buffer;
  }

  it('shows a blob only once it is committed, under the first two digits of its digest', async () => {
    const partial = await store.receive();
    await partial.append([A, B]);
    expect(await store.size(DIGEST)).toBeNull();
    expect(await store.open(DIGEST)).toBeNull();

    await partial.commit(DIGEST);
    await partial.close();

    expect(await store.size(DIGEST)).toBe(WHOLE.length);
    expect(await readWhole()).toEqual(WHOLE);
    expect(await readdir(join(root, 'blobs', 'sha256', DIGEST.slice(7, 9)))).toEqual([DIGEST.slice(7)]);
  });

  it('lets a partial blob be read while it grows, and after its commit', async () => {
    const partial = await store.receive();
    await partial.append([A]);
    const buffer = Buffer.alloc(100);
    expect(await partial.read(buffer, 6)).toBe(A.length - 6);
    await partial.append([B]);
    await partial.commit(DIGEST);
    expect(await partial.read(buffer, 0)).toBe(WHOLE.length);
    await partial.close();
  });

  it('does not take for stored what the disk has lost on the way, though no later sync would tell', async () => {
    const lost = Object.assign(new Error('the disk is broken'), { code: 'EIO' });
    const failingOnce = async (path: string): Promise<FilePartialBlob> => {
      const file = await open(path, 'w+');
      file.datasync = () => Promise.reject(lost);
      return new FilePartialBlob('some', path, file, 0, () => join(root, 'committed'));
    };
    const chunk = randomBytes(1024 * 1024);
    for (const end of ['commit', 'close'] as const) {
      const partial = await failingOnce(join(root, end));
      for (let written = 0; written < 17; written += 1) await partial.append([chunk]);
      await expect(end === 'commit' ? partial.commit(DIGEST) : partial.close()).rejects.toBe(lost);
      await partial.discard();
    }
    expect(await readdir(root)).not.toContain('committed');
  });

  it('leaves nothing of a discarded partial blob', async () => {
    const partial = await store.receive();
    await partial.append([A]);
    await partial.discard();
    expect(await readdir(join(root, 'incoming', (await readdir(join(root, 'incoming')))[0]!))).toEqual([]);
  });

  it('takes a blob that is stored already, and heals bytes that rotted', async () => {
    for (let round = 0; round < 2; round++) {
      const partial = await store.receive();
      await partial.append([WHOLE]);
      await partial.commit(DIGEST);
      await partial.close();
      expect(await readWhole()).toEqual(WHOLE);
      await writeFile(join(root, 'blobs', 'sha256', DIGEST.slice(7, 9), DIGEST.slice(7)), 'rot');
    }
  });

  it('continues an upload where it was acknowledged, and cuts off what was not', async () => {
    const first = await store.startUpload();
    await first.append([A, Buffer.from('never acknowledged')]);
    await first.close();

    const second = (await store.continueUpload(first.name, A.length))!;
    await second.append([B]);
    await second.commit(DIGEST);
    await second.close();
    expect(await readWhole()).toEqual(WHOLE);
    expect(await store.continueUpload(first.name, 0)).toBeNull();
  });

  it('forks an upload away from a writer that may still be writing', async () => {
    const stuck = await store.startUpload();
    await stuck.append([A]);
    const fork = (await store.forkUpload(stuck.name, A.length))!;
    await stuck.append([Buffer.from('late bytes of the former writer')]);
    await fork.append([B]);
    await fork.commit(DIGEST);
    await fork.close();
    await stuck.discard();
    expect(await readWhole()).toEqual(WHOLE);
  });

  it('does not trust an upload that is shorter than was acknowledged', async () => {
    const upload = await store.startUpload();
    await upload.append([A]);
    await upload.close();
    expect(await store.continueUpload(upload.name, A.length + 1)).toBeNull();
  });

  it('sweeps what dead instances left when it opens, and nothing of living ones', async () => {
    const living = await store.receive();
    await living.append([A]);
    const dead = join(root, 'incoming', `${hostname()}~999999999~gone`);
    const formerLife = join(root, 'incoming', `${hostname()}~${process.pid}~former`);
    const elsewhere = join(root, 'incoming', 'another-host~1~alive');
    for (const folder of [dead, formerLife, elsewhere]) {
      await mkdir(folder);
      await writeFile(join(folder, 'half'), randomBytes(10));
    }

    await FileBlobStore.open(root);

    const left = await readdir(join(root, 'incoming'));
    expect(left).not.toContain(`${hostname()}~999999999~gone`);
    expect(left).not.toContain(`${hostname()}~${process.pid}~former`);
    expect(left).toContain('another-host~1~alive');
    await living.append([B]);
    await living.commit(DIGEST);
    await living.close();
    expect(await readWhole()).toEqual(WHOLE);
  });
});
