import { setTimeout as delay } from 'node:timers/promises';
import { isUpstreamTrouble, upstreamUnavailable } from './upstream-error.js';
import type { BlobOnItsWay } from './upstream-client.js';

/** Breaks in a row with no byte between them. The pauses before the next try double, and are some six seconds together. */
const MOST_BREAKS = 5;
const FIRST_PAUSE_MS = 200;
/** Whatever comes between them: a hostile upstream may break off after each byte. */
const MOST_TRANSFERS = 25;

interface Transfer {
  upstream: string;
  /** What it is, for people. */
  what: string;
  first: BlobOnItsWay;
  /** Asks for the bytes from there on; null when the upstream has it no more. */
  reopen: (from: number) => Promise<BlobOnItsWay | null>;
  signal: AbortSignal;
}

/** The bytes of one blob in order, each once, also where the connection breaks on the way. Throws what an upstream's trouble is. */
export async function* steadyBody(transfer: Transfer): AsyncGenerator<Buffer> {
  const { first, signal } = transfer;
  let current = first;
  let position = 0;
  let breaks = 0;
  const stop = (): void => void current.body.destroy();
  signal.addEventListener('abort', stop);
  try {
    for (let transfers = 1; ; transfers += 1) {
      try {
        // An upstream that knows no ranges sends again what is here already.
        let at = current.start;
        for await (const chunk of current.body as AsyncIterable<Buffer>) {
          const fresh = chunk.subarray(Math.max(0, position - at));
          at += chunk.length;
          if (fresh.length === 0) continue;
          position += fresh.length;
          breaks = 0;
          yield fresh;
        }
        return;
      } catch (error) {
        if (transfers === MOST_TRANSFERS) throw brokeOff(transfer, error);
        let next: BlobOnItsWay | null = null;
        while (next === null) {
          if (signal.aborted || breaks === MOST_BREAKS) throw brokeOff(transfer, error);
          await delay(FIRST_PAUSE_MS * 2 ** breaks, undefined, { signal }).catch(() => undefined);
          breaks += 1;
          next = await goOn(transfer, position);
        }
        current = next;
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    current.body.destroy();
  }
}

/** Null where trying again in a moment may help. */
async function goOn(transfer: Transfer, position: number): Promise<BlobOnItsWay | null> {
  const { upstream, what, first } = transfer;
  let next;
  try {
    next = await transfer.reopen(position);
  } catch (trouble) {
    if (isPassing(trouble)) return null;
    throw trouble;
  }
  if (next === null) throw brokeOff(transfer, 'it has it no more');
  const same = first.size === null || next.size === null || next.size === first.size;
  if (same && next.start <= position) return next;
  next.body.destroy();
  throw upstreamUnavailable(upstream, 'invalid', `went on with ${what} as with something else`);
}

/** Whether trying again in a moment may help. */
function isPassing(trouble: unknown): boolean {
  if (!isUpstreamTrouble(trouble)) return false;
  return ['unreachable', 'timeout', 'failed'].includes(String(trouble.extensions.failure));
}

function brokeOff({ upstream, what }: Transfer, cause: unknown): Error {
  return upstreamUnavailable(upstream, 'failed', `broke off while it sent ${what}`, cause);
}
