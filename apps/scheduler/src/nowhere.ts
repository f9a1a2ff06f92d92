import { Writable } from 'node:stream';

/** Where what is written is thrown away. */
export function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
