import type { EntityManager } from 'typeorm';
import type { Digest } from '../names/digest.js';
import type { RepositoryName } from '../names/repository-name.js';
import type { BlobStore, PartialBlob } from '../store/blob-store.js';
import type { ImageCatalog } from './image-catalog.js';

/**
 * Until the transaction ends, nobody else puts this blob into the store or takes it out: what the rows say of it and what is there
 * stay one. Held for as long as a rename takes; no bytes flow meanwhile.
 */
export async function lockBlob(transaction: EntityManager, digest: Digest): Promise<void> {
  await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [digest]);
}

/** Lets repositories hold blobs, so that a row is never without its bytes. */
export class BlobFiling {
  constructor(
    private readonly database: EntityManager,
    private readonly store: BlobStore,
    private readonly catalog: ImageCatalog,
  ) {}

  /** Makes what has arrived, and was verified, a blob of a repository. `also` goes into the same transaction. */
  async file(
    name: RepositoryName,
    digest: Digest,
    partial: PartialBlob,
    also: (transaction: EntityManager) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await lockBlob(transaction, digest);
      await partial.commit(digest);
      await this.catalog.link(name, digest, partial.size, transaction);
      await also(transaction);
    });
  }

  /** Lets a repository hold what is in the store already, unless `before` throws. False where it is not, or not any more. */
  async share(
    name: RepositoryName,
    digest: Digest,
    before: (size: number, transaction: EntityManager) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<boolean> {
    return this.database.transaction(async (transaction) => {
      await lockBlob(transaction, digest);
      const size = await this.store.size(digest);
      if (size === null) return false;
      await before(size, transaction);
      await this.catalog.link(name, digest, size, transaction);
      return true;
    });
  }
}
