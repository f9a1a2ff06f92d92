import type { Digest } from '../names/digest.js';

/** A whole, verified blob, open for reading. Whoever opened it closes it. */
export interface StoredBlob {
  /** Bytes. */
  size: number;
  /** Fills `buffer` from `position`, and says how many bytes it got; 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>;
  /** Where a client may fetch it without us, for some minutes from now; null where it is to be sent from here. */
  address(): Promise<string | null>;
  close(): Promise<void>;
}

/** What another instance is receiving, or has received. */
export interface FollowedPartial {
  /** Bytes that are there by now. */
  size(): Promise<number>;
  read(buffer: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes on their way in, not yet a blob: what a client uploads or an upstream sends. */
export interface PartialBlob {
  /** Name by which another instance that shares the store can go on with it, or follow it. */
  readonly name: string;
  /** Bytes written so far. */
  readonly size: number;
  append(chunks: readonly Buffer[]): Promise<void>;
  /** Reads back what is written already, while more arrives. */
  read(buffer: Buffer, position: number): Promise<number>;
  /**
   * Makes it the blob `digest`, durably: after this returned, a crash or power loss does not lose or tear it. The caller
   * has checked the digest. The partial can still be read until it is closed.
   */
  commit(digest: Digest): Promise<void>;
  /** Ends the use of it here; what is written stays, unless `discard` is called. */
  close(): Promise<void>;
  /** Removes it, whatever state it is in. */
  discard(): Promise<void>;
}

/** Content-addressed bytes: a digest has one content for all repositories, and a stored blob never changes. */
export abstract class BlobStore {
  /** Bytes, or null when the blob is not stored. */
  abstract size(digest: Digest): Promise<number | null>;
  abstract open(digest: Digest): Promise<StoredBlob | null>;
  /** Whoever has it open reads on. Nothing where there is none. */
  abstract remove(digest: Digest): Promise<void>;
  /** Puts a blob away whose bytes are not what they should be, for people to look at. Nothing where there is none. */
  abstract quarantine(digest: Digest): Promise<void>;
  /** Blobs whose bytes came before then, in no order. */
  abstract storedBefore(time: Date): AsyncIterable<Digest>;
  /** A new partial blob that no restart survives. */
  abstract receive(): Promise<PartialBlob>;
  /** What another instance receives, by its name, to be read while it grows, and on once it is a blob. Null when it is gone. */
  abstract follow(name: string): Promise<FollowedPartial | null>;
  /** A new partial blob of a client's upload, which can be continued by name. */
  abstract startUpload(): Promise<PartialBlob>;
  /** Goes on with an upload at `size`; what was written after that is cut off. Null when it is gone. */
  abstract continueUpload(name: string, size: number): Promise<PartialBlob | null>;
  /** The first `size` bytes of an upload, as a new one that nobody else can be writing to. Null when it is gone. */
  abstract forkUpload(name: string, size: number): Promise<PartialBlob | null>;
  abstract discardUpload(name: string): Promise<void>;
  /** Names of the uploads that nothing was written to since then. */
  abstract uploadsUntouchedSince(time: Date): Promise<string[]>;
  /** Nothing is asked of it any more. */
  abstract close(): Promise<void>;
}
