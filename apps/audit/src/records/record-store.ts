import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { ROW_COLUMNS, type RecordRow } from './record-row.js';

/** What came in as a record and is none. */
export interface Rejected {
  /** Of the message in the stream. */
  sequence: number;
  /** Of the payload: sequences begin anew with a new stream. */
  digest: string;
  subject: string;
  payload: Uint8Array;
  reason: string;
}

const NAMES = Object.keys(ROW_COLUMNS).join(', ');
const TYPED = Object.entries(ROW_COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

/** Appends to the log. What is there already is left as it is, by the record's id, so telling twice is telling once. */
@Injectable()
export class RecordStore {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Appends all of it in one transaction, or nothing. Answers how many records were new. */
  append(rows: RecordRow[], rejected: Rejected[]): Promise<number> {
    return this.dataSource.transaction(async (transaction) => {
      for (const message of rejected) await this.keepRejected(transaction, message);
      if (rows.length === 0) return 0;
      const [{ added }]: { added: string }[] = await transaction.query(
        `WITH added AS (
           INSERT INTO records (${NAMES}) SELECT ${NAMES} FROM jsonb_to_recordset($1::jsonb) AS given (${TYPED})
           ON CONFLICT (id) DO NOTHING RETURNING 1
         ) SELECT count(*) AS added FROM added`,
        [JSON.stringify(rows)],
      );
      return Number(added);
    });
  }

  private async keepRejected(transaction: EntityManager, rejected: Rejected): Promise<void> {
    const { sequence, digest, subject, payload, reason } = rejected;
    await transaction.query(
      `INSERT INTO rejected (sequence, digest, subject, payload, reason) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [sequence, digest, subject, Buffer.from(payload), reason],
    );
  }
}

/**
 * Whether the database refused what it was given, as opposed to being unable to take anything: SQLSTATE classes 22 (data
 * exception), 23 (integrity constraint) and 54 (program limit, such as nesting too deep).
 */
export function isRefusedContent(error: unknown): error is QueryFailedError {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: unknown };
  return typeof code === 'string' && /^(22|23|54)/.test(code);
}
