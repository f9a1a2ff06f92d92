import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { failClosed, overQuota } from '@berth/actions';
import { quotaRpc, type BerthError } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { Digest } from '../names/digest.js';

/** What a team's images may take. */
export interface StorageLimit {
  team: string;
  /** Null: any number. */
  bytes: number | null;
}

/** What an upload is about to have in all, bytes. `most` is what it would like to have held, to ask less often. */
export interface WantedRoom {
  id: string;
  writer: string;
  least: number;
  most: number;
}

// Near a limit an upload of unknown length holds a part of what is left, so that others beside it find some, too.
const SHARE_OF_LEFT = 4;

/**
 * Bytes that teams store: what their repositories hold, a blob once for each team, and what uploads have or hold. Whoever adds to it asks
 * under a lock of the team, which no bytes flow under. See ADR 0029.
 */
@Injectable()
export class StorageQuota {
  constructor(
    @InjectEntityManager() private readonly database: EntityManager,
    @Inject(RpcClient) private readonly rpc: RpcClient,
  ) {}

  /** Throws QUOTA_UNAVAILABLE where nobody says: then nothing is stored. */
  async limitOf(team: string): Promise<StorageLimit> {
    const { bytes } = await failClosed('QUOTA_UNAVAILABLE', () =>
      this.rpc.call(quotaRpc.storageLimit, { team }),
    );
    return { team, bytes };
  }

  /** Before an upload begins, which nobody knows the length of yet. Throws QUOTA_EXCEEDED where there is no room at all. */
  async requireAny(limit: StorageLimit): Promise<void> {
    if (limit.bytes === null) return;
    const used = await usedBy(this.database, limit.team);
    if (used >= limit.bytes) throw exceeded(limit, limit.bytes, used, 1);
  }

  /** Holds room for an upload that a writer has claimed; answers how much it has now. Throws QUOTA_EXCEEDED. */
  async hold(limit: StorageLimit, { id, writer, least, most }: WantedRoom): Promise<number> {
    const { team, bytes } = limit;
    if (bytes === null) return Infinity;
    return this.database.transaction(async (transaction) => {
      await lockTeam(transaction, team);
      const used = await usedBy(transaction, team, id);
      const left = bytes - used;
      if (left < least) throw exceeded(limit, bytes, used, least);
      const held = Math.min(most, least + Math.floor((left - least) / SHARE_OF_LEFT));
      await transaction.query('UPDATE uploads SET held = $3 WHERE id = $1 AND writer = $2', [
        id,
        writer,
        held,
      ]);
      return held;
    });
  }

  /** Before a repository of the team comes to hold a blob, in the transaction that lets it. Throws QUOTA_EXCEEDED. */
  async requireFor(
    limit: StorageLimit,
    digest: Digest,
    size: number,
    transaction: EntityManager,
  ): Promise<void> {
    const { team, bytes } = limit;
    if (bytes === null) return;
    await lockTeam(transaction, team);
    const [{ held }] = await transaction.query<[{ held: boolean }]>(
      'SELECT EXISTS (SELECT FROM team_blobs WHERE team = $1 AND digest = $2) AS held',
      [team, digest],
    );
    if (held) return;
    const used = await usedBy(transaction, team);
    if (used + size > bytes) throw exceeded(limit, bytes, used, size);
  }

  /** Bytes by team; of a team without images 0. */
  async used(teams: readonly string[]): Promise<Record<string, number>> {
    const rows = await Promise.all(
      teams.map(async (team) => [team, await usedBy(this.database, team)] as const),
    );
    return Object.fromEntries(rows);
  }
}

/** Until the transaction ends, nobody else is told how much room the team has. Taken after the lock of a blob, never before. */
async function lockTeam(transaction: EntityManager, team: string): Promise<void> {
  await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('storage of ' || $1, 0))`, [team]);
}

async function usedBy(database: EntityManager, team: string, exceptUpload?: string): Promise<number> {
  // What a writer that died had held is free when its claim runs out; what it had sent is there.
  const [{ bytes }] = await database.query<[{ bytes: string }]>(
    `SELECT (SELECT coalesce(sum(size), 0) FROM team_blobs WHERE team = $1)
       + (SELECT coalesce(sum(CASE WHEN u.writer_until > clock_timestamp() THEN greatest(u.held, u.size) ELSE u.size END), 0)
          FROM uploads u JOIN repositories r ON r.name = u.repository
          WHERE r.team = $1 AND u.id IS DISTINCT FROM $2::uuid) AS bytes`,
    [team, exceptUpload ?? null],
  );
  return Number(bytes);
}

function exceeded({ team }: StorageLimit, limit: number, used: number, requested: number): BerthError {
  return overQuota(
    [{ scope: 'teams', name: team, dimension: 'storage', limit, used, requested }],
    'remove images with "berth image rm"',
  );
}
