import type { Role } from '@berth/contracts';

/** What holds for all at the moment of a query. */
export interface Moment {
  /** Another one after each change of users, memberships and tokens. */
  epoch: string;
  /** Of the policies. */
  revision: number;
  /** By the database's clock. */
  now: Date;
}

/** A user and a token of theirs, as the database has them. */
export interface AskerRow {
  position: string;
  kind: 'user' | 'service' | null;
  team: string | null;
  admin: boolean | null;
  teams: { team: string; role: Role }[];
  scopes: string[] | null;
  expiresAt: Date | null;
  revoked: boolean | null;
}

const MOST = 10_000;

/** Who was read in the present epoch. Of another one, nothing is known. */
export class KnownAskers {
  private epoch = '';
  private readonly rows = new Map<string, AskerRow>();

  get(key: string, { epoch }: Moment): AskerRow | undefined {
    return epoch === this.epoch ? this.rows.get(key) : undefined;
  }

  set(key: string, row: AskerRow, { epoch }: Moment): void {
    if (epoch !== this.epoch || this.rows.size >= MOST) this.rows.clear();
    this.epoch = epoch;
    this.rows.set(key, row);
  }
}
