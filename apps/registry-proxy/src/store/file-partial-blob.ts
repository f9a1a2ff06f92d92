import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Digest } from '../names/digest.js';
import type { PartialBlob } from './blob-store.js';

/** So many are written before the disk is asked to take them: at the end there is little left to wait for. */
const SYNC_BYTES = 16 * 1024 * 1024;

/** A partial blob in a file of its own, written front to back. */
export class FilePartialBlob implements PartialBlob {
  #size: number;
  #closed = false;
  /** Bytes that the disk has, or was asked to take. */
  #synced: number;
  #syncing: Promise<void> | null = null;
  /** Told by the system once, and by no later sync: what was written may be lost. */
  #lost: Error | null = null;

  constructor(
    readonly name: string,
    private path: string,
    private readonly file: FileHandle,
    size: number,
    private readonly pathOf: (digest: Digest) => string,
  ) {
    this.#size = size;
    this.#synced = size;
  }

  get size(): number {
    return this.#size;
  }

  async append(chunks: readonly Buffer[]): Promise<void> {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      // A write may take less than it was given, e.g. when the disk is nearly full.
      const { bytesWritten } = await this.file.writev(rest, this.#size);
      this.#size += bytesWritten;
      rest = afterBytes(rest, bytesWritten);
    }
    if (this.#syncing === null && this.#size - this.#synced >= SYNC_BYTES) this.#syncAhead();
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, position);
    return bytesRead;
  }

  async commit(digest: Digest): Promise<void> {
    const target = this.pathOf(digest);
    const folder = dirname(target);
    // Bytes first, then the name: whoever finds a name finds all of its bytes, also after a power loss.
    await this.#syncing;
    await this.file.sync();
    this.#requireKept();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Where the blob exists already this puts the same bytes in its place, which also heals a rotten copy.
    await rename(this.path, target);
    this.path = target;
    await syncFolder(folder);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#syncing;
    await this.file.close();
    this.#requireKept();
  }

  async discard(): Promise<void> {
    await this.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  #syncAhead(): void {
    this.#synced = this.#size;
    this.#syncing = this.file
      .datasync()
      .catch((error: Error) => (this.#lost = error))
      .then(() => void (this.#syncing = null));
  }

  #requireKept(): void {
    if (this.#lost !== null) throw this.#lost;
  }
}

function afterBytes(chunks: readonly Buffer[], count: number): Buffer[] {
  let skip = count;
  return chunks.flatMap((chunk) => {
    const taken = Math.min(skip, chunk.length);
    skip -= taken;
    return taken === chunk.length ? [] : [chunk.subarray(taken)];
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
