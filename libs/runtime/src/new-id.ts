import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES = 16;
/** The system is asked for so many at a time: to ask it costs more than all the rest. */
const POOL = new Uint8Array(256 * BYTES);

let used = POOL.length;
let milliseconds = 0;
let sequence = 0;

/** A UUID of version 7 (RFC 9562): those of one process are in the order in which they were made. */
export function newId(): string {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  const random = POOL.subarray(used, (used += BYTES));
  const now = Date.now();
  if (now > milliseconds) {
    milliseconds = now;
    // With room above, so that it only goes up within a millisecond.
    sequence = ((random[0] & 0x7f) << 24) | (random[1] << 16) | (random[2] << 8) | random[3];
  } else {
    sequence += 1;
  }
  return v7({ random, msecs: milliseconds, seq: sequence });
}
