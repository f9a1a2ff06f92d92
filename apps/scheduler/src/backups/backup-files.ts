import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { nowhere } from '../nowhere.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';

const NONCE = 12;
const TAG = 16;

/** Which file, and the key that it is encrypted with: 32 bytes, of this file alone. */
export interface BackupFile {
  environmentId: string;
  id: string;
  key: Buffer;
}

/** Backups on disk: nonce, AES-256-GCM of the dump, tag (NIST SP 800-38D). A file by its name is a whole one. */
@Injectable()
export class BackupFiles {
  private readonly folder: string;

  constructor(@Inject(SCHEDULER_ENV) { BERTH_BACKUPS_FOLDER: folder }: SchedulerEnv) {
    this.folder = folder;
  }

  /** Writes what `write` gives; the file is there when that is done, or not at all. */
  async write(file: BackupFile, write: (output: Writable) => Promise<void>): Promise<void> {
    const path = this.path(file);
    const partial = `${path}.partial`;
    await mkdir(join(this.folder, file.environmentId), { recursive: true, mode: 0o700 });
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', file.key, nonce);
    const disk = createWriteStream(partial, { mode: 0o600 });
    try {
      disk.write(nonce);
      await Promise.all([pipeline(cipher, disk, { end: false }), write(cipher)]);
      await new Promise<void>((resolve) => disk.end(cipher.getAuthTag(), resolve));
      await sync(partial);
      await rename(partial, path);
    } catch (error) {
      cipher.destroy();
      disk.destroy();
      await rm(partial, { force: true });
      throw error;
    }
  }

  /**
   * Reads a whole dump. It is gone through once before a byte of it is given out: GCM vouches for the whole only. Throws
   * NOT_FOUND where there is no such file, and INTERNAL for one that was changed.
   */
  async read(file: BackupFile): Promise<Readable> {
    const path = this.path(file);
    const size = (await stat(path).catch(() => null))?.size;
    if (size === undefined)
      throw new BerthError('NOT_FOUND', `The file of the backup ${file.id} is not on this machine.`);
    try {
      await pipeline(await this.plain(path, size, file.key), nowhere());
    } catch (cause) {
      const detail = `The file of the backup ${file.id} does not decrypt: it was changed, or cut off.`;
      throw new BerthError('INTERNAL', detail, {}, { cause });
    }
    return this.plain(path, size, file.key);
  }

  async remove({ environmentId, id }: Pick<BackupFile, 'environmentId' | 'id'>): Promise<void> {
    await rm(this.path({ environmentId, id }), { force: true });
  }

  /** Environments that there are files of. */
  environments(): Promise<string[]> {
    return readdir(this.folder).catch(() => []);
  }

  async forget(environmentId: string): Promise<void> {
    await rm(join(this.folder, environmentId), { recursive: true, force: true });
  }

  private async plain(path: string, size: number, key: Buffer): Promise<Readable> {
    const handle = await open(path);
    const [nonce, tag] = [Buffer.alloc(NONCE), Buffer.alloc(TAG)];
    try {
      await handle.read(nonce, 0, NONCE, 0);
      await handle.read(tag, 0, TAG, size - TAG);
    } finally {
      await handle.close();
    }
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
    const encrypted = createReadStream(path, { start: NONCE, end: size - TAG - 1 });
    encrypted.on('error', (error) => decipher.destroy(error));
    return encrypted.pipe(decipher);
  }

  private path({ environmentId, id }: Pick<BackupFile, 'environmentId' | 'id'>): string {
    return join(this.folder, environmentId, id);
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
