import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** A user of the machine, by number. */
export interface Account {
  uid: number;
  gid: number;
}

/** The system user that all but the scheduler run as when root starts them: Postgres refuses root, the others need none of it. */
export const ACCOUNT_NAME = 'berth';

export function isRoot(): boolean {
  return userInfo().uid === 0;
}

/** The account to run data stores as; undefined where that is simply the caller. */
export function storeAccount(): Account | undefined {
  if (!isRoot()) return undefined;
  const account = findAccount(ACCOUNT_NAME);
  if (!account) throw new Error(`There is no user "${ACCOUNT_NAME}". "./berth up" makes it.`);
  return account;
}

/** A user by name, from /etc/passwd. */
export function findAccount(name: string): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
