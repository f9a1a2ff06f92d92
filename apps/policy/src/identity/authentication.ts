import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { BerthError, type Principal, type Role } from '@berth/contracts';
import { FailedAuthentications } from './failed-authentications.js';
import { hashToken } from './token-text.js';

interface Row {
  id: string;
  user_name: string;
  kind: Principal['kind'];
  admin: boolean;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  expired: boolean | null;
  teams: { team: string; role: Role }[];
}

const READ = `
  SELECT t.id, t.user_name, u.kind, u.admin, t.scopes, t.expires_at, t.revoked_at, t.expires_at <= now() AS expired,
         (SELECT coalesce(json_agg(json_build_object('team', m.team, 'role', m.role) ORDER BY m.team), '[]'::json)
          FROM members m WHERE m.user_name = u.name) AS teams
  FROM tokens t JOIN users u ON u.name = t.user_name
  WHERE t.hash = $1`;

/** Who a token stands for. */
@Injectable()
export class Authentication {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(FailedAuthentications) private readonly failures: FailedAuthentications,
  ) {}

  /** Throws UNAUTHENTICATED, TOKEN_EXPIRED or TOKEN_REVOKED, and records that it did. */
  async authenticate(token: string): Promise<Principal> {
    const rows: Row[] = await this.dataSource.query(READ, [hashToken(token)]);
    if (rows.length === 0) {
      const error = new BerthError(
        'UNAUTHENTICATED',
        'This token is not known here. Log in with "berth login".',
      );
      await this.failures.ofUnknownToken(error);
      throw error;
    }
    const [row] = rows;
    const refused = refusal(row);
    if (refused) {
      await this.failures.ofToken({ id: row.id, user: row.user_name }, refused);
      throw refused;
    }
    return {
      user: row.user_name,
      kind: row.kind,
      admin: row.admin,
      teams: row.teams,
      tokenId: row.id,
      scopes: row.scopes,
      expiresAt: row.expires_at?.toISOString() ?? null,
    };
  }
}

function refusal(row: Row): BerthError | null {
  if (row.revoked_at) {
    return new BerthError('TOKEN_REVOKED', `The token was revoked at ${row.revoked_at.toISOString()}.`);
  }
  if (row.expired && row.expires_at) {
    return new BerthError(
      'TOKEN_EXPIRED',
      `The token expired at ${row.expires_at.toISOString()}. Make a new one.`,
    );
  }
  return null;
}
