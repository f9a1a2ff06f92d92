import type { EntityManager } from 'typeorm';
import type { ResourceRef } from '@berth/contracts';

/** A person, or a service account of the platform. */
export const userRef = (user: string): ResourceRef => ({ type: 'User', id: user });

/** A service account with its team, which has a say in it. */
export async function ownedUserRef(manager: EntityManager, user: string): Promise<ResourceRef> {
  const [row]: { team: string | null }[] = await manager.query('SELECT team FROM users WHERE name = $1', [
    user,
  ]);
  return row?.team ? { ...userRef(user), team: row.team } : userRef(user);
}
