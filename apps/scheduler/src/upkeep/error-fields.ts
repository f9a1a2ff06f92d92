import { BerthError } from '@berth/contracts';

/** For the log of what is tried again: an error that was foreseen needs no stack. */
export function errorFields(error: unknown): { reason: string } | { err: unknown } {
  return error instanceof BerthError ? { reason: error.message } : { err: error };
}
