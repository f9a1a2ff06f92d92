import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, Not } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { rewrap } from './envelope.js';
import { Keyring } from './keyring.js';
import { CertificateEntity, placeOf } from '../certificates/certificate.entity.js';
import { SecretEntity } from './secret.entity.js';

/** Rows of one transaction: what a crash can cost, and how long others may wait for a row. */
const BATCH = 100;

type Wrapped = Pick<SecretEntity, 'environmentId' | 'name' | 'version'> & {
  keyId: string;
  wrappedKey: Buffer;
};

/** Brings all secrets, and the keys of certificates, under the current key. */
@Injectable()
export class Rekeying {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Keyring) private readonly keyring: Keyring,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Throws when a secret needs a key that is not given: then nothing would work that needs it. */
  async check(): Promise<void> {
    const missing: { key: string; secrets: number }[] = await this.dataSource.query(
      `SELECT key_id AS key, count(*)::int AS secrets
       FROM (SELECT key_id FROM secrets UNION ALL SELECT key_id FROM certificates) AS sealed
       WHERE key_id IS NOT NULL AND key_id <> ALL ($1) GROUP BY key_id ORDER BY key_id`,
      [this.keyring.ids],
    );
    if (missing.length === 0) return;
    const told = missing.map(({ key, secrets }) => `${secrets} with ${key}`).join(', ');
    throw new Error(
      `BERTH_SECRETS_KEY is the key ${this.keyring.current.id}, but secrets are encrypted with other keys (${told}). Give back the key that was used, in BERTH_SECRETS_KEY, or beside a new one in BERTH_SECRETS_OLD_KEYS.`,
    );
  }

  /**
   * Re-wraps what an old key wraps, batch by batch. Whoever is killed in between leaves whole batches, and the next one
   * goes on; several at once take turns, each in the order of the primary key.
   */
  async run(): Promise<void> {
    let done = await this.certificates();
    for (let count = await this.batch(); count > 0; count = await this.batch()) done += count;
    if (done > 0) this.logger.info({ secrets: done, key: this.keyring.current.id }, 'secrets.rekeyed');
  }

  /** Of which there are few. */
  private certificates(): Promise<number> {
    return this.dataSource.transaction(async (transaction) => {
      const rows = await transaction.find(CertificateEntity, {
        where: { keyId: Not(this.keyring.current.id) },
        order: { host: 'ASC' },
        lock: { mode: 'pessimistic_write' },
      });
      for (const row of rows) {
        const wrapped = rewrap(this.keyring, placeOf(row), row);
        await transaction.update(CertificateEntity, { host: row.host }, wrapped);
      }
      return rows.length;
    });
  }

  private batch(): Promise<number> {
    return this.dataSource.transaction(async (transaction) => {
      const rows: Wrapped[] = await transaction.query(
        `SELECT environment_id AS "environmentId", name, version, key_id AS "keyId", wrapped_key AS "wrappedKey"
         FROM secrets WHERE key_id <> $1 ORDER BY environment_id, name, version LIMIT $2 FOR UPDATE`,
        [this.keyring.current.id, BATCH],
      );
      for (const { environmentId, name, version, keyId, wrappedKey } of rows) {
        const place = { environmentId, name, version };
        await transaction.update(SecretEntity, place, rewrap(this.keyring, place, { keyId, wrappedKey }));
      }
      return rows.length;
    });
  }
}

/** A step of `startService`: a scheduler that is ready can read every secret, and needs no old key for any. */
export async function rekeySecrets(app: NestFastifyApplication): Promise<void> {
  const rekeying = app.get(Rekeying);
  await rekeying.check();
  await rekeying.run();
}
