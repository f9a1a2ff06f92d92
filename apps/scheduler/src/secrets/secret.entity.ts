import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { Secret } from '@berth/contracts';

/** One version of a secret. Of a removed one, whose numbers are kept, all that could be decrypted is null. */
@Entity('secrets')
export class SecretEntity {
  @PrimaryColumn('uuid', { name: 'environment_id' })
  environmentId!: string;

  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('int')
  version!: number;

  @Column('bytea', { name: 'wrapped_key', nullable: true })
  wrappedKey!: Buffer | null;

  @Column('bytea', { nullable: true })
  nonce!: Buffer | null;

  @Column('bytea', { nullable: true })
  ciphertext!: Buffer | null;

  @Column('text', { name: 'key_id', nullable: true })
  keyId!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

/** What may be known of it. */
export type KnownSecret = Pick<SecretEntity, 'name' | 'version' | 'createdBy' | 'createdAt'>;

export function toSecret({ name, version, createdBy, createdAt }: KnownSecret): Secret {
  return { name, version, setBy: createdBy, setAt: createdAt.toISOString() };
}
