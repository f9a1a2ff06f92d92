import { createHash } from 'node:crypto';
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { CEDAR_VERSION } from '@berth/cedar';
import { DataSource } from 'typeorm';
import { cedarSchema } from './schema.js';

/** Whose reading it is: another Cedar, or another schema, may find otherwise. */
const READER = sha256(`${CEDAR_VERSION} ${JSON.stringify(cedarSchema())}`);
/** While a new version of the service takes the place of one that runs, both read. */
const KEPT_OF_OTHERS = '1 day';

/**
 * What Cedar has read texts as that it found valid, kept in the database: to have ten thousand read takes ten seconds, and they
 * are the same for every instance and at every start.
 */
@Injectable()
export class PolicyReadings {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Of those of the texts that were read before, by the text. */
  async recall(texts: readonly string[]): Promise<ReadonlyMap<string, PolicyJson>> {
    if (texts.length === 0) return new Map();
    const byHash = new Map(texts.map((text) => [sha256(text), text]));
    const found: { hash: string; policy: PolicyJson }[] = await this.dataSource.query(
      'SELECT text_hash AS hash, policy FROM policy_readings WHERE reader = $1 AND text_hash = ANY ($2)',
      [READER, [...byHash.keys()]],
    );
    return new Map(found.map(({ hash, policy }) => [byHash.get(hash) ?? '', policy]));
  }

  /** Of texts that hold against the schema. */
  async keep(readings: readonly { text: string; json: PolicyJson }[]): Promise<void> {
    if (readings.length === 0) return;
    await this.dataSource.query(
      `INSERT INTO policy_readings (reader, text_hash, policy)
       SELECT $1, * FROM unnest($2::text[], $3::json[]) ON CONFLICT DO NOTHING`,
      [READER, readings.map(({ text }) => sha256(text)), readings.map(({ json }) => JSON.stringify(json))],
    );
    await this.dataSource.query(
      `DELETE FROM policy_readings WHERE reader <> $1 AND kept_at < now() - interval '${KEPT_OF_OTHERS}'`,
      [READER],
    );
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
