import type { ServerResponse } from 'node:http';
import type { BlobSource } from '../pull/blob-pulls.js';
import type { ByteRange } from './range.js';
import { SendBuffers } from './send-buffers.js';

/** A client that takes nothing for so long is gone. */
const IDLE_MS = 60_000;

const sendBuffers = new SendBuffers();

class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * Sends bytes of a blob, from the store or while they arrive. `begin` writes the head, right before the first byte: until then an error
 * can still be told.
 */
export async function sendBlob(
  response: ServerResponse,
  source: BlobSource,
  range: ByteRange,
  begin: () => void,
): Promise<void> {
  const buffers = sendBuffers.take(range.end - range.start + 1, source.kind === 'arriving');
  let sent = false;
  try {
    await sendThrough(buffers, response, source, range, begin);
    sent = true;
  } finally {
    // What a broken connection still holds of them is nobody's to write into.
    sendBuffers.give(sent ? buffers : []);
  }
}

async function sendThrough(
  buffers: readonly [Buffer, Buffer],
  response: ServerResponse,
  source: BlobSource,
  range: ByteRange,
  begin: () => void,
): Promise<void> {
  let begun = false;
  let sending: Promise<void> = Promise.resolve();
  response.on('timeout', () => response.destroy());
  for (let position = range.start, turn = 0; position <= range.end; turn ^= 1) {
    const wanted = Math.min(buffers[turn]!.length, range.end + 1 - position);
    const chunk = await readSome(source, buffers[turn]!.subarray(0, wanted), position);
    if (!begun) {
      begin();
      begun = true;
    }
    await sending;
    sending = write(response, chunk);
    // It is awaited a read later; a client that goes meanwhile must not count as unhandled.
    sending.catch(() => undefined);
    position += chunk.length;
  }
  if (!begun) begin();
  await sending;
  response.end();
}

async function readSome(source: BlobSource, buffer: Buffer, position: number): Promise<Buffer> {
  if (source.kind === 'arriving') {
    const until = await source.fetch.sendable(position);
    buffer = buffer.subarray(0, Math.min(buffer.length, until - position));
  }
  const from = source.kind === 'stored' ? source.blob : source.fetch;
  const count = await from.read(buffer, position);
  if (count === 0) throw new Error(`the stored blob ends at ${position}`);
  return buffer.subarray(0, count);
}

/** Resolves when the bytes have left and their buffer may be used again. */
function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) {
      reject(new ClientGone());
      return;
    }
    const gone = (): void => reject(new ClientGone());
    response.once('close', gone);
    // Only while the client is the one to wait for: an upstream has its own time.
    response.setTimeout(IDLE_MS);
    response.write(chunk, (error) => {
      response.removeListener('close', gone);
      response.setTimeout(0);
      if (error) reject(new ClientGone());
      else resolve();
    });
  });
}

export function isClientGone(error: unknown): boolean {
  return error instanceof ClientGone;
}
