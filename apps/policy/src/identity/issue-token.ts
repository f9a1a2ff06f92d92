import type { EntityManager } from 'typeorm';
import type { IssuedToken, Token } from '@berth/contracts';
import { newId } from '@berth/runtime';
import { hashToken, newToken } from './token-text.js';
import { TokenEntity, toToken } from './token.entity.js';

/** Of the two, `token` may be told to others; `issued` has the text of it, which is nowhere else. */
export async function issueToken(
  transaction: EntityManager,
  {
    user,
    name,
    scopes,
    lifetimeSeconds,
  }: { user: string; name: string; scopes: string[]; lifetimeSeconds: number },
): Promise<{ token: Token; issued: IssuedToken }> {
  const text = newToken();
  const createdAt = new Date();
  const entity: TokenEntity = {
    id: newId(),
    user,
    name,
    hash: hashToken(text),
    scopes,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + lifetimeSeconds * 1_000),
    revokedAt: null,
  };
  await transaction.getRepository(TokenEntity).insert(entity);
  const token = toToken(entity);
  return { token, issued: { ...token, token: text } };
}
