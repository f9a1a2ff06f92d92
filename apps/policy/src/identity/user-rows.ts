import type { EntityManager } from 'typeorm';
import { ANONYMOUS, BerthError, type User } from '@berth/contracts';
import { toUser } from './user.entity.js';

/** Who acts in records when it is no user. */
const RESERVED = [ANONYMOUS, 'berth'];

/** Throws ALREADY_EXISTS. */
export async function insertUser(
  transaction: EntityManager,
  { name, kind, admin, team }: Omit<User, 'createdAt'>,
): Promise<User> {
  if (RESERVED.includes(name)) {
    throw new BerthError('ALREADY_EXISTS', `The name "${name}" is Berth's own; take another one.`);
  }
  const inserted: { created_at: Date }[] = await transaction.query(
    'INSERT INTO users (name, kind, admin, team) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING created_at',
    [name, kind, admin, team],
  );
  if (inserted.length === 0) throw new BerthError('ALREADY_EXISTS', `There is a user "${name}" already.`);
  return toUser({ name, kind, admin, team, createdAt: inserted[0].created_at });
}

/** With all that hangs on them, so that their tokens are unknown from the end of the transaction on. False where there is none. */
export async function deleteUser(transaction: EntityManager, name: string): Promise<boolean> {
  for (const table of ['tokens', 'members', 'identities']) {
    await transaction.query(`DELETE FROM ${table} WHERE user_name = $1`, [name]);
  }
  const [, affected]: [unknown[], number] = await transaction.query('DELETE FROM users WHERE name = $1', [
    name,
  ]);
  return affected > 0;
}
