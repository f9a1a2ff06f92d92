import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '@berth/contracts';
import type { BlobStore, FollowedPartial } from '../store/blob-store.js';
import { ArrivingBlob } from './arriving-blob.js';
import { fetchLost, type FetchLeases, type FetchState, type Wanted } from './fetch-leases.js';

/** How often the store is asked how far it is, and every how many of these the database whether it has ended. */
const LOOK_MS = 20;
const LOOKS_PER_STATE = 5;

export interface Following {
  wanted: Wanted;
  /** For people. */
  upstream: string;
  leases: FetchLeases;
  store: BlobStore;
}

/** A blob that another instance fetches, read along from the store that both share. */
export class FollowedBlob extends ArrivingBlob {
  private here = 0;

  private constructor(
    private readonly following: Following,
    private readonly state: FetchState,
    private readonly partial: FollowedPartial,
  ) {
    super(following.wanted.digest, state.size);
  }

  /** Waits until there is something to read. Null when nobody fetches it any more: it is here, or the lease is free. Throws why it failed. */
  static async find(following: Following, signal: AbortSignal): Promise<FollowedBlob | null> {
    for (; ; await delay(LOOK_MS, undefined, { signal })) {
      const state = await following.leases.look(following.wanted);
      if (state === null || !state.alive) return null;
      if (state.failure !== null) throw BerthError.fromProblem(state.failure);
      const partial = state.partial === null ? null : await following.store.follow(state.partial);
      if (partial !== null) return new FollowedBlob(following, state, partial);
    }
  }

  protected get arrived(): number {
    return this.here;
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.partial.read(buffer, position);
  }

  protected close(): Promise<void> {
    return this.partial.close();
  }

  /** Reads along until the other one has ended. Never rejects: answers the failure that readers are told of. */
  async run(isHere: () => Promise<boolean>, signal: AbortSignal): Promise<Error | null> {
    try {
      while (!(await this.hasEnded(isHere))) {
        for (let look = 0; look < LOOKS_PER_STATE; look += 1) {
          await delay(LOOK_MS, undefined, { signal });
          await this.look();
        }
      }
      await this.look();
      this.verified = true;
    } catch (error) {
      this.failure = error as Error;
    }
    await this.end();
    return this.failure;
  }

  private async look(): Promise<void> {
    const here = await this.partial.size();
    if (here === this.here) return;
    this.here = here;
    this.wake();
  }

  private async hasEnded(isHere: () => Promise<boolean>): Promise<boolean> {
    const { wanted, upstream, leases } = this.following;
    const state = await leases.look(wanted);
    if (state === null && (await isHere())) return true;
    if (state?.holder === this.state.holder) {
      if (state.failure !== null) throw BerthError.fromProblem(state.failure);
      if (state.alive) return false;
    }
    throw fetchLost(upstream, wanted.digest);
  }
}
