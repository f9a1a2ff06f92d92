import { BerthError, Name } from '@berth/contracts';
import type { PolicyEnv } from '../env.js';

/** Who somebody is, as the identity provider says. */
export interface Person {
  /** With the issuer: what they are known by, whatever they are called. */
  issuer: string;
  subject: string;
  /** What they are to be called here, if they are new. Null where the provider says nothing that makes a name. */
  name: string | null;
  groups: string[];
}

type Claims = Readonly<Record<string, unknown>>;
type Settings = Pick<PolicyEnv, 'BERTH_OIDC_NAME_CLAIM' | 'BERTH_OIDC_GROUPS_CLAIM'>;

const MOST_GROUPS = 1_000;

/** Reads an ID token, and what the provider tells of its subject beside it (OpenID Connect Core 1.0, section 5.3) where that is needed. */
export async function readClaims(
  token: Claims & { iss: string; sub: string },
  { BERTH_OIDC_NAME_CLAIM: nameClaim, BERTH_OIDC_GROUPS_CLAIM: groupsClaim }: Settings,
  readMore: () => Promise<Claims>,
): Promise<Person> {
  const whole = nameClaim in token && groupsClaim in token;
  const claims: Claims = whole ? token : { ...(await readMore()), ...token };
  return {
    issuer: token.iss,
    subject: token.sub,
    name: toName(claims[nameClaim]),
    groups: toGroups(claims[groupsClaim], groupsClaim),
  };
}

/** `Mira.Berg@example.org` is `mira-berg`. */
export function toName(claim: unknown): string | null {
  if (typeof claim !== 'string') return null;
  const name = claim
    .split('@', 1)[0]
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return Name.safeParse(name).success ? name : null;
}

function toGroups(claim: unknown, name: string): string[] {
  if (claim === undefined || claim === null) return [];
  const groups: unknown[] = Array.isArray(claim) ? claim : [claim];
  if (groups.length > MOST_GROUPS || !groups.every((group) => typeof group === 'string')) {
    throw new BerthError(
      'LOGIN_DENIED',
      `The claim "${name}" of the identity provider is no list of at most ${MOST_GROUPS} names, so your groups are not known.`,
    );
  }
  return [...new Set(groups)];
}
