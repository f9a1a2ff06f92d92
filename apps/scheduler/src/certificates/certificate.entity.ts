import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Certificate } from '@berth/contracts';
import type { SecretPlace } from '../secrets/envelope.js';

/** A certificate that was brought, with its key in an envelope. */
@Entity('certificates')
export class CertificateEntity {
  @PrimaryColumn('text')
  host!: string;

  /** Counts up with each that takes the place of another. */
  @Column('int')
  version!: number;

  /** PEM, with those that lead to the root. */
  @Column('text')
  certificate!: string;

  @Column('jsonb')
  names!: string[];

  @Column('text')
  issuer!: string;

  @Column('text')
  fingerprint!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('bytea', { name: 'wrapped_key' })
  wrappedKey!: Buffer;

  @Column('bytea')
  nonce!: Buffer;

  @Column('bytea')
  ciphertext!: Buffer;

  @Column('text', { name: 'key_id' })
  keyId!: string;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}

/** What its envelope is bound to; no environment has such an id. */
export function placeOf({ host, version }: Pick<CertificateEntity, 'host' | 'version'>): SecretPlace {
  return { environmentId: 'certificates', name: host, version };
}

export function toCertificate(row: CertificateEntity): Certificate {
  const { host, names, issuer, fingerprint, expiresAt, createdBy, createdAt } = row;
  return {
    ...{ host, names, issuer, fingerprint, setBy: createdBy },
    expiresAt: expiresAt.toISOString(),
    setAt: createdAt.toISOString(),
  };
}
