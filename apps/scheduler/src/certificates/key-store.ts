import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { open, seal, type Envelope } from '../secrets/envelope.js';
import { Keyring } from '../secrets/keyring.js';
import { CertificateEntity, placeOf } from './certificate.entity.js';

/** A certificate as Caddy takes it. */
export interface OwnCertificate {
  names: string[];
  certificate: string;
  key: string;
}

/** Keys of certificates: sealed where they lie, and opened for the way in alone. */
@Injectable()
export class KeyStore {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Keyring) private readonly keyring: Keyring,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  seal(of: Pick<CertificateEntity, 'host' | 'version'>, key: string): Envelope {
    return seal(this.keyring, placeOf(of), Buffer.from(key));
  }

  /** All that open, in one order. One that does not is left out: it must not keep the others from being served. */
  async all(): Promise<OwnCertificate[]> {
    const rows = await this.dataSource.manager.find(CertificateEntity, { order: { host: 'ASC' } });
    return rows.flatMap((row) => {
      try {
        const key = open(this.keyring, placeOf(row), row).toString();
        return [{ names: row.names, certificate: row.certificate, key }];
      } catch (error) {
        this.logger.error({ err: error, host: row.host }, 'certificate.unreadable');
        return [];
      }
    });
  }
}
