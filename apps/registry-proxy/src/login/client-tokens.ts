import { z } from 'zod';
import { Access, type RepositoryRight } from './access.js';
import type { Seal } from '../sealing/seal.js';

const PREFIX = 'berthr_';
const BOUND_TO = 'client token';
/** Seconds. Clients ask for a new one when it is over. */
export const LIFETIME_S = 300;
/** Of one that an engine pushes with, which cannot ask for another. */
const PUSH_LIFETIME_S = 3_600;
/** For clocks of several instances. */
const SKEW_S = 30;

const Pusher = z.object({ user: z.string(), tokenId: z.string().nullable(), team: z.string() });
/** In whose name an engine pushes what it has built. */
export type Pusher = z.infer<typeof Pusher>;

const Payload = z.object({
  token: z.string().nullable(),
  pusher: Pusher.optional(),
  rights: z.array(z.tuple([z.string(), z.array(z.string())])),
  until: z.int(),
});

/** What a token of this registry stands for: the Berth token that it was given for, and what it is for. */
export interface ClientToken {
  /** Null of one that was given to whoever showed none, and to an engine. */
  token: string | null;
  pusher?: Pusher;
  access: Access;
}

/**
 * Tokens of the Docker token flow (distribution.github.io/distribution/spec/auth/token). One holds the Berth token it was given for, sealed: that is asked about with each
 * request, so what is revoked is revoked at once; and no instance needs to remember any.
 */
export class ClientTokens {
  constructor(private readonly seal: Seal) {}

  /** Whether there is a token flow at all: it takes a key. */
  get available(): boolean {
    return this.seal.usable;
  }

  issue({ token, pusher, access }: ClientToken): string {
    const until = Math.floor(Date.now() / 1_000) + (pusher ? PUSH_LIFETIME_S : LIFETIME_S);
    const rights = [...access.rights];
    const payload = JSON.stringify({ token, pusher, rights, until });
    return PREFIX + this.seal.seal(payload, BOUND_TO).toString('base64url');
  }

  /** Undefined for what is none; null for one that is not valid any more, or never was. */
  read(text: string): ClientToken | null | undefined {
    if (!this.available || !text.startsWith(PREFIX)) return undefined;
    const opened = this.seal.open(Buffer.from(text.slice(PREFIX.length), 'base64url'), BOUND_TO);
    if (opened === null) return null;
    const { token, pusher, rights, until } = Payload.parse(JSON.parse(opened));
    if (until + SKEW_S < Date.now() / 1_000) return null;
    const access = new Access(new Map(rights as [string, RepositoryRight[]][]));
    return { token, ...(pusher ? { pusher } : {}), access };
  }
}
