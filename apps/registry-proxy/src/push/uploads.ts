import { randomUUID, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { In, LessThan, type EntityManager } from 'typeorm';
import { BerthError } from '@berth/contracts';
import type { BlobFiling } from '../catalog/blob-filing.js';
import { UploadRow } from '../catalog/entities.js';
import type { ImageCatalog } from '../catalog/image-catalog.js';
import { algorithmOf, type Digest } from '../names/digest.js';
import type { HostedName } from '../names/repository-name.js';
import type { StorageLimit, StorageQuota } from '../quota/storage-quota.js';
import type { BlobStore, PartialBlob } from '../store/blob-store.js';
import { hashOfPart } from './part-hash.js';

/** How far an upload is. */
export interface UploadState {
  id: string;
  /** Bytes received and kept. */
  size: number;
}

/** What a client sends of a blob. */
export interface Chunk {
  /** Of its first byte; null: wherever the upload is. */
  from: number | null;
  /** Bytes; null where the client does not tell. */
  length: number | null;
  body: Readable;
}

export type UploadProblem =
  | { problem: 'unknown' }
  | { problem: 'busy' }
  | { problem: 'out-of-order'; size: number }
  | { problem: 'digest-mismatch'; actual: Digest };

interface Claim {
  row: UploadRow;
  part: PartialBlob;
  writer: string;
  hash: Hash;
  renewal: NodeJS.Timeout;
}

const CLAIM_SECONDS = 30;
const RENEW_MS = 10_000;
const ABANDONED_AFTER_HOURS = 24;
/** Chunks of one write to the disk, and what a slow disk lets pile up. */
const WRITE_BYTES = 1024 * 1024;
/** Room held ahead for an upload whose length nobody tells. */
const STEP_BYTES = 64 * 1024 * 1024;
const MOST_KEPT_HASHES = 1_000;

/**
 * Clients' uploads (OCI distribution spec 1.1, "Pushing blobs"). State is in a row and bytes are in the store, so any
 * instance that shares both takes the next chunk. No transaction is open while bytes flow: a writer has a claim on the
 * row instead, which runs out if it dies.
 */
export class Uploads {
  /** Hash of what was received so far, of uploads whose last chunk came through this instance; else it is read again. */
  private readonly hashes = new Map<string, { writer: string; hash: Hash }>();

  constructor(
    private readonly database: EntityManager,
    private readonly store: BlobStore,
    private readonly catalog: ImageCatalog,
    private readonly filing: BlobFiling,
    private readonly quota: StorageQuota,
  ) {}

  /** Throws QUOTA_EXCEEDED where the team has no room for anything. */
  async start(name: HostedName): Promise<UploadState> {
    await this.quota.requireAny(await this.quota.limitOf(name.team));
    await this.catalog.ensureRepository(name);
    const part = await this.store.startUpload();
    await part.close();
    const id = randomUUID();
    await this.database.insert(UploadRow, { id, repository: name.name, part: part.name, size: 0 });
    return { id, size: 0 };
  }

  async find(name: HostedName, id: string): Promise<UploadState | null> {
    const row = await this.database.findOneBy(UploadRow, { id, repository: name.name });
    return row && { id, size: row.size };
  }

  /** Lets the repository hold a blob that another one has. False where it is gone. Throws QUOTA_EXCEEDED. */
  async mount(name: HostedName, digest: Digest): Promise<boolean> {
    const limit = await this.quota.limitOf(name.team);
    return this.filing.share(name, digest, (size, transaction) =>
      this.quota.requireFor(limit, digest, size, transaction),
    );
  }

  /** What arrived before a broken connection is kept, so that the client can go on from there. Throws QUOTA_EXCEEDED. */
  async append(name: HostedName, id: string, chunk: Chunk): Promise<UploadState | UploadProblem> {
    const limit = await this.quota.limitOf(name.team);
    const claim = await this.claim(name, id, chunk.from);
    if ('problem' in claim) return claim;
    await this.receive(claim, chunk, limit);
    await this.release(claim);
    return { id, size: claim.part.size };
  }

  /** Takes a last chunk, if there is one, and makes the whole a blob of the repository. Throws QUOTA_EXCEEDED. */
  async finish(
    name: HostedName,
    id: string,
    chunk: Chunk,
    digest: Digest,
  ): Promise<{ size: number } | UploadProblem> {
    const limit = await this.quota.limitOf(name.team);
    const claim = await this.claim(name, id, chunk.from);
    if ('problem' in claim) return claim;
    await this.receive(claim, chunk, limit);
    try {
      const algorithm = algorithmOf(digest);
      // Only at the end a client has to say which it goes by. All but none go by SHA-256, so that one runs along.
      const hash = algorithm === 'sha256' ? claim.hash : await hashOfPart(claim.part, algorithm);
      const actual: Digest = `${algorithm}:${hash.digest('hex')}`;
      if (actual !== digest) {
        await this.drop(claim);
        return { problem: 'digest-mismatch', actual };
      }
      await this.filing.file(name, digest, claim.part, (transaction) =>
        transaction.delete(UploadRow, { id }),
      );
      return { size: claim.part.size };
    } finally {
      clearInterval(claim.renewal);
      await claim.part.close();
    }
  }

  async cancel(name: HostedName, id: string): Promise<UploadProblem | null> {
    const claim = await this.claim(name, id, null);
    if ('problem' in claim) return claim;
    await this.drop(claim);
    return null;
  }

  /** Removes uploads that nobody went on with for a day, and bytes whose row a crash never let be written. */
  async sweep(): Promise<number> {
    const abandoned = new Date(Date.now() - ABANDONED_AFTER_HOURS * 3_600_000);
    await this.database.delete(UploadRow, { updatedAt: LessThan(abandoned) });
    const untouched = await this.store.uploadsUntouchedSince(abandoned);
    const wanted = await this.database.findBy(UploadRow, { part: In(untouched) });
    const kept = new Set(wanted.map(({ part }) => part));
    const unwanted = untouched.filter((name) => !kept.has(name));
    for (const name of unwanted) await this.store.discardUpload(name);
    return unwanted.length;
  }

  /** Makes this instance the one that writes, from where the client says that the upload is. */
  private async claim(name: HostedName, id: string, from: number | null): Promise<Claim | UploadProblem> {
    const before = await this.database.findOneBy(UploadRow, { id, repository: name.name });
    if (before === null) return { problem: 'unknown' };
    if (from !== null && from !== before.size) return { problem: 'out-of-order', size: before.size };
    const writer = randomUUID();
    const [rows] = await this.database.query<[{ part: string }[], number]>(
      `UPDATE uploads SET writer = $2, writer_until = now() + make_interval(secs => $3), updated_at = now()
       WHERE id = $1 AND size = $5 AND writer IS NOT DISTINCT FROM $4 AND (writer_until IS NULL OR writer_until < now())
       RETURNING part`,
      [id, writer, CLAIM_SECONDS, before.writer, before.size],
    );
    const taken = rows[0];
    if (taken === undefined) return { problem: 'busy' };
    // The claim of a writer that died ran out; one that is only stuck must not write into what goes on here.
    const tookOver = before.writerUntil !== null;
    const part = tookOver
      ? await this.store.forkUpload(taken.part, before.size)
      : await this.store.continueUpload(taken.part, before.size);
    if (part === null) {
      await this.database.delete(UploadRow, { id });
      return { problem: 'unknown' };
    }
    if (tookOver) {
      await this.database.update(UploadRow, { id, writer }, { part: part.name });
      await this.store.discardUpload(taken.part);
    }
    const kept = this.hashes.get(id);
    this.hashes.delete(id);
    const hash = kept !== undefined && kept.writer === before.writer ? kept.hash : await hashOfPart(part);
    const claimed = { ...before, part: part.name };
    const renewal = setInterval(() => void this.renew(id, writer), RENEW_MS);
    return { row: claimed, part, writer, hash, renewal };
  }

  private async receive(claim: Claim, { body, length }: Chunk, limit: StorageLimit): Promise<void> {
    /** Bytes that there is room for, of all that the upload has. */
    let held = 0;
    const requireRoom = async (least: number, ahead: number): Promise<void> => {
      if (least <= held) return;
      const wanted = { id: claim.row.id, writer: claim.writer, least, most: least + ahead };
      held = await this.quota.hold(limit, wanted);
    };
    let chunks: Buffer[] = [];
    let waiting = 0;
    // One is on its way to the disk while the next one is received and hashed.
    let writing: Promise<void> = Promise.resolve();
    const write = async (): Promise<void> => {
      await writing;
      await requireRoom(claim.part.size + waiting, STEP_BYTES);
      writing = claim.part.append(chunks);
      // Whoever writes next, or ends, is told.
      writing.catch(() => undefined);
      chunks = [];
      waiting = 0;
    };
    try {
      if (length !== null) await requireRoom(claim.part.size + length, 0);
      for await (const chunk of body as AsyncIterable<Buffer>) {
        claim.hash.update(chunk);
        chunks.push(chunk);
        waiting += chunk.length;
        if (waiting >= WRITE_BYTES) await write();
      }
      await write();
      await writing;
    } catch (error) {
      await writing.catch(() => undefined);
      if (error instanceof BerthError && error.code === 'QUOTA_EXCEEDED') {
        // Nobody can go on with it; what it sent would only stand in the way of others.
        await this.drop(claim);
        throw error;
      }
      await write()
        .then(() => writing)
        .catch(() => undefined);
      // Where the disk failed, hash and bytes differ now: the bytes are read again when the client goes on.
      await this.release(claim, false);
      throw error;
    }
  }

  private async renew(id: string, writer: string): Promise<void> {
    await this.database
      .query(
        `UPDATE uploads SET writer_until = now() + make_interval(secs => $3) WHERE id = $1 AND writer = $2`,
        [id, writer, CLAIM_SECONDS],
      )
      .catch(() => undefined);
  }

  /** Ends a claim with what was received; the hash is kept under this writer's name for the next one. */
  private async release({ row, part, writer, hash, renewal }: Claim, keepHash = true): Promise<void> {
    clearInterval(renewal);
    await part.close();
    const { affected } = await this.database.update(
      UploadRow,
      { id: row.id, writer },
      { size: part.size, writerUntil: null, updatedAt: new Date() },
    );
    if (!keepHash || affected !== 1) return;
    if (this.hashes.size >= MOST_KEPT_HASHES) this.hashes.delete(this.hashes.keys().next().value ?? '');
    this.hashes.set(row.id, { writer, hash });
  }

  private async drop({ row, part, writer, renewal }: Claim): Promise<void> {
    clearInterval(renewal);
    await part.discard();
    await this.database.delete(UploadRow, { id: row.id, writer });
  }
}
