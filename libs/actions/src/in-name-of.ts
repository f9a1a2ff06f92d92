import type { Principal, Role } from '@berth/contracts';

/**
 * Who acts where nobody asks, in the name of a user whose doing it goes back to. Policy reads afresh who that is, so nobody gets to do
 * more by it than they may.
 */
export function inNameOf(user: string, team: string, role: Role): Principal {
  return {
    ...{ user, kind: 'user', admin: false, tokenId: null },
    ...{ teams: [{ team, role }], scopes: ['*'], expiresAt: null },
  };
}
