import type { Token } from '@berth/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('tokens')
export class TokenEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { name: 'user_name' })
  user!: string;

  @Column('text')
  name!: string;

  /** SHA-256 of the token, in hexadecimal digits. The token itself is nowhere. */
  @Column('text')
  hash!: string;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}

export function toToken({ id, user, name, scopes, createdAt, expiresAt, revokedAt }: TokenEntity): Token {
  return {
    id,
    user,
    name,
    scopes,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
