import { z } from 'zod';
import type { Challenge } from './challenge.js';
import { abandon, exchange, readBody, type Timeouts } from './http-exchange.js';
import { upstreamRateLimited, upstreamUnavailable } from './upstream-error.js';
import type { Upstream } from './upstreams.js';

const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});
const TOKEN_ANSWER_LIMIT = 256 * 1024;
// The token spec's own default, and how much earlier than told a token is renewed (clocks, and the way there).
const DEFAULT_LIFETIME_S = 60;
const RENEW_EARLIER_MS = 5_000;
const MOST_TOKENS = 5_000;

/**
 * The Docker token flow (distribution.github.io/distribution/spec/auth/token): meets the challenges of upstreams, and keeps
 * the tokens until they expire.
 */
export class TokenSource {
  /** Of an upstream as it is reached now: once it is reached otherwise, it is another one. */
  private readonly kept = new WeakMap<Upstream, Map<string, { header: string; until: number }>>();

  constructor(private readonly timeouts: Timeouts) {}

  /** The `Authorization` to begin with for a repository, if one is known. */
  known(upstream: Upstream, path: string | null): string | undefined {
    const kept = this.kept.get(upstream)?.get(keyOf(path));
    if (kept !== undefined && kept.until > Date.now()) return kept.header;
    this.forget(upstream, path);
    return undefined;
  }

  forget(upstream: Upstream, path: string | null): void {
    this.kept.get(upstream)?.delete(keyOf(path));
  }

  /** The `Authorization` that meets a challenge; undefined when nothing that is configured can meet it. */
  async meet(challenge: Challenge, upstream: Upstream, path: string | null): Promise<string | undefined> {
    if (challenge.scheme === 'basic') {
      return upstream.credentials === null ? undefined : this.keep(upstream, path, basic(upstream), Infinity);
    }
    const { token, lifetime } = await this.request(challenge, upstream, path);
    return this.keep(upstream, path, `Bearer ${token}`, Date.now() + lifetime * 1000 - RENEW_EARLIER_MS);
  }

  private async request(challenge: Challenge, upstream: Upstream, path: string | null) {
    const realm = readRealm(challenge, upstream);
    // The scope is our own and not the challenge's: an upstream does not get to have our credentials buy more than this.
    if (path !== null) realm.searchParams.set('scope', `repository:${path}:pull`);
    if (challenge.parameters['service']) realm.searchParams.set('service', challenge.parameters['service']);

    const trusted = mayHaveCredentials(realm, upstream);
    const headers = trusted && upstream.credentials !== null ? { authorization: basic(upstream) } : {};
    const response = await exchange({ method: 'GET', url: realm, headers, timeouts: this.timeouts }).catch(
      (error: unknown) => {
        throw upstreamUnavailable(upstream.name, 'unreachable', `hands out no token at ${realm.host}`, error);
      },
    );
    if (response.statusCode === 429) {
      abandon(response);
      throw upstreamRateLimited(upstream.name, response.headers['retry-after']);
    }
    // Redirects are not followed here: they would carry a question of trust along.
    if (response.statusCode !== 200) {
      abandon(response);
      throw upstreamUnavailable(
        upstream.name,
        response.statusCode === 401 || response.statusCode === 403 ? 'refused' : 'failed',
        `hands out no token${path === null ? '' : ` for ${path}`}: ${realm.host} answered ${response.statusCode}`,
      );
    }
    const body = await readBody(response, TOKEN_ANSWER_LIMIT).catch(() => null);
    if (body === null) response.destroy();
    return readToken(body, upstream, realm);
  }

  private keep(upstream: Upstream, path: string | null, header: string, until: number): string {
    let of = this.kept.get(upstream);
    if (of === undefined || of.size >= MOST_TOKENS) this.kept.set(upstream, (of = new Map()));
    of.set(keyOf(path), { header, until });
    return header;
  }
}

function readRealm(challenge: Challenge, upstream: Upstream): URL {
  const text = challenge.parameters['realm'] ?? '';
  const realm = URL.canParse(text) ? new URL(text) : null;
  if (realm === null || !['http:', 'https:'].includes(realm.protocol) || realm.username !== '') {
    throw upstreamUnavailable(upstream.name, 'invalid', `names no usable token realm`);
  }
  // Plain http to another host would let anyone on the way hand out and take tokens.
  if (realm.protocol === 'http:' && realm.host !== new URL(upstream.url).host) {
    throw upstreamUnavailable(upstream.name, 'invalid', `names a token realm at ${realm.host} without https`);
  }
  return realm;
}

/**
 * A realm comes from the upstream's answer, so whoever can forge that answer could have our credentials sent to himself
 * (CVE-2026-33540): they go to the upstream's own origin, or over https to a host that the configuration names.
 */
function mayHaveCredentials(realm: URL, upstream: Upstream): boolean {
  if (realm.origin === new URL(upstream.url).origin) return true;
  return realm.protocol === 'https:' && upstream.tokenHosts.has(realm.host);
}

function readToken(body: Buffer | null, upstream: Upstream, realm: URL): { token: string; lifetime: number } {
  const answer = TokenAnswer.safeParse(parseJson(body));
  const token = answer.data?.token ?? answer.data?.access_token;
  // It goes into a header: nothing but visible ASCII.
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw upstreamUnavailable(
      upstream.name,
      'invalid',
      `gets no token from ${realm.host}: the answer holds none`,
    );
  }
  return { token, lifetime: answer.data?.expires_in ?? DEFAULT_LIFETIME_S };
}

function parseJson(body: Buffer | null): unknown {
  try {
    return JSON.parse(body?.toString('utf8') ?? '');
  } catch {
    return null;
  }
}

function basic({ credentials }: Upstream): string {
  return `Basic ${Buffer.from(`${credentials?.username}:${credentials?.password}`).toString('base64')}`;
}

function keyOf(path: string | null): string {
  return path ?? '';
}
