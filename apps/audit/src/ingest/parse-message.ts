import { createHash } from 'node:crypto';
import { AuditRecord, parseOrThrow } from '@berth/contracts';
import type { Rejected } from '../records/record-store.js';
import { toRow, type RecordRow } from '../records/record-row.js';

/** What of a stream's message matters here. */
export interface RecordMessage {
  seq: number;
  subject: string;
  data: Uint8Array;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** A row to append, or why the message is no record. */
export function parseMessage(message: RecordMessage): { row: RecordRow } | { rejected: Rejected } {
  try {
    const content: unknown = JSON.parse(decoder.decode(message.data));
    return { row: toRow(parseOrThrow(AuditRecord, content, 'The record')) };
  } catch (error) {
    return { rejected: rejectedMessage(message, error) };
  }
}

export function rejectedMessage({ seq, subject, data }: RecordMessage, error: unknown): Rejected {
  return {
    sequence: seq,
    digest: createHash('sha256').update(data).digest('hex'),
    subject,
    payload: data,
    reason: error instanceof Error ? error.message.slice(0, 1_000) : String(error),
  };
}
