import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, hexOf, isDigest, type Digest } from '../names/digest.js';
import type { BlobStore, FollowedPartial, PartialBlob, StoredBlob } from './blob-store.js';
import { FilePartialBlob } from './file-partial-blob.js';
import { instanceFolder, sweepLeftovers } from './leftovers.js';

/**
 * Blobs as files:
 *
 *     blobs/<algorithm>/ab/<hex>  whole and verified, never written to again
 *     uploads/<uuid>              a client's upload, continued by any instance that shares the folder
 *     incoming/<instance>/        fetches of one running instance
 *     quarantine/                 what was found damaged, which nothing reads
 */
export class FileBlobStore implements BlobStore {
  private readonly instance = instanceFolder();
  private readonly incoming: string;

  private constructor(private readonly root: string) {
    this.incoming = join(root, 'incoming', this.instance);
  }

  /** Prepares the folders, and removes what instances that no longer run left half-written. */
  static async open(root: string): Promise<FileBlobStore> {
    const store = new FileBlobStore(root);
    for (const folder of [join(root, 'blobs', 'sha256'), join(root, 'uploads'), store.incoming]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    await sweepLeftovers(join(root, 'incoming'));
    return store;
  }

  /** Removes this instance's own folder; nothing of it is in use any more. */
  async close(): Promise<void> {
    await rm(this.incoming, { recursive: true, force: true });
  }

  async size(digest: Digest): Promise<number | null> {
    const found = await absentAsNull(stat(this.pathOf(digest)));
    return found === null ? null : found.size;
  }

  async open(digest: Digest): Promise<StoredBlob | null> {
    const file = await absentAsNull(open(this.pathOf(digest), 'r'));
    if (file === null) return null;
    try {
      const { size } = await file.stat();
      return new OpenFile(file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  async quarantine(digest: Digest): Promise<void> {
    const folder = join(this.root, 'quarantine');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await absentAsNull(
      rename(this.pathOf(digest), join(folder, `${digest.replace(':', '-')}.${Date.now()}`)),
    );
  }

  async *storedBefore(time: Date): AsyncIterable<Digest> {
    for (const algorithm of await readdir(join(this.root, 'blobs'))) {
      for (const folder of await readdir(join(this.root, 'blobs', algorithm))) {
        for (const hex of await readdir(join(this.root, 'blobs', algorithm, folder))) {
          const digest = `${algorithm}:${hex}`;
          const found = isDigest(digest) ? await absentAsNull(stat(this.pathOf(digest))) : null;
          if (found !== null && found.mtimeMs < time.getTime()) yield digest as Digest;
        }
      }
    }
  }

  async receive(): Promise<PartialBlob> {
    // Another machine may take an instance that was idle for a day for dead, and remove its folder.
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
    const name = join(this.instance, randomUUID());
    return this.create(name, join(this.root, 'incoming', name));
  }

  async follow(name: string): Promise<FollowedPartial | null> {
    const file = await absentAsNull(open(join(this.root, 'incoming', name), 'r'));
    // The file stays the same while its name becomes that of a blob.
    return file && new GrowingFile(file);
  }

  async startUpload(): Promise<PartialBlob> {
    const name = randomUUID();
    return this.create(name, this.uploadPath(name));
  }

  async continueUpload(name: string, size: number): Promise<PartialBlob | null> {
    const path = this.uploadPath(name);
    const file = await absentAsNull(open(path, 'r+'));
    if (file === null) return null;
    if ((await file.stat()).size < size) {
      // Only a power loss takes back bytes that were acknowledged: the upload cannot be trusted any more.
      await file.close();
      return null;
    }
    await file.truncate(size);
    return this.partial(name, path, file, size);
  }

  async forkUpload(name: string, size: number): Promise<PartialBlob | null> {
    const copy = randomUUID();
    const path = this.uploadPath(copy);
    const copied = await absentAsNull(
      copyFile(this.uploadPath(name), path, constants.COPYFILE_FICLONE).then(() => true),
    );
    if (copied === null) return null;
    await truncate(path, size);
    return this.partial(copy, path, await open(path, 'r+'), size);
  }

  async discardUpload(name: string): Promise<void> {
    await rm(this.uploadPath(name), { force: true });
  }

  async uploadsUntouchedSince(time: Date): Promise<string[]> {
    const names = await readdir(join(this.root, 'uploads'));
    const old: string[] = [];
    for (const name of names) {
      const found = await absentAsNull(stat(this.uploadPath(name)));
      if (found !== null && found.mtimeMs < time.getTime()) old.push(name);
    }
    return old;
  }

  private async create(name: string, path: string): Promise<PartialBlob> {
    return this.partial(name, path, await open(path, 'wx+', 0o600), 0);
  }

  private partial(name: string, path: string, file: FileHandle, size: number): PartialBlob {
    return new FilePartialBlob(name, path, file, size, (digest) => this.pathOf(digest));
  }

  private pathOf(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.root, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex);
  }

  private uploadPath(name: string): string {
    return join(this.root, 'uploads', name);
  }
}

class GrowingFile implements FollowedPartial {
  constructor(private readonly file: FileHandle) {}

  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, position);
    return bytesRead;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

class OpenFile implements StoredBlob {
  constructor(
    private readonly file: FileHandle,
    readonly size: number,
  ) {}

  async read(buffer: Buffer, position: number): Promise<number> {
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, position);
    return bytesRead;
  }

  address(): Promise<null> {
    return Promise.resolve(null);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function absentAsNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
