import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { BerthError, Upstream as ToldUpstream } from '@berth/contracts';
import type { RegistryMetrics, UpstreamOutcome } from '../registry-metrics.js';
import { algorithmOf, digestOf, isDigest, type Digest } from '../names/digest.js';
import type { UpstreamName } from '../names/repository-name.js';
import { MANIFEST_LIMIT, MANIFEST_TYPES, OCI_INDEX } from '../pull/media-types.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { parseChallenge } from './challenge.js';
import { abandon, exchange, ExchangeTimeout, readBody, type Timeouts } from './http-exchange.js';
import { TokenSource } from './token-source.js';
import { isUpstreamTrouble, upstreamRateLimited, upstreamUnavailable } from './upstream-error.js';
import type { Upstream } from './upstreams.js';

export interface FetchedManifest {
  /** Computed from the bytes. */
  digest: Digest;
  mediaType: string;
  bytes: Buffer;
}

export interface BlobOnItsWay {
  /** Bytes of all of it, null when the upstream does not say. */
  size: number | null;
  /** Where in it the body begins: 0, unless a later part was asked for, and given. */
  start: number;
  body: IncomingMessage;
}

export type UpstreamRate = NonNullable<ToldUpstream['rate']>;

interface Question {
  method: 'GET' | 'HEAD';
  /** Below the repository. */
  path: string;
  headers?: OutgoingHttpHeaders;
}

const ACCEPT_MANIFESTS = { accept: MANIFEST_TYPES.join(', ') };
const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Asks upstream registries, in the protocol of the OCI distribution spec. A null is the upstream's own clear "there is
 * none"; whatever keeps it from a clear answer is thrown as UPSTREAM_UNAVAILABLE or UPSTREAM_RATE_LIMITED.
 */
export class UpstreamClient {
  private readonly tokens: TokenSource;
  private readonly breaker = new CircuitBreaker();
  private readonly rates = new Map<string, UpstreamRate>();

  constructor(
    private readonly upstreams: { get(name: string): Upstream | undefined },
    private readonly timeouts: Timeouts,
    private readonly metrics: Pick<RegistryMetrics, 'upstream' | 'rate'> | null = null,
  ) {
    this.tokens = new TokenSource(timeouts);
  }

  /** The digest that a tag names now. `undefined` when the upstream has the tag, and does not tell its digest to HEAD. */
  async tagDigest(name: UpstreamName, tag: string): Promise<Digest | undefined | null> {
    const response = await this.ask(name, {
      method: 'HEAD',
      path: `manifests/${tag}`,
      headers: ACCEPT_MANIFESTS,
    });
    if (response === null) return null;
    abandon(response);
    const digest = response.headers['docker-content-digest'];
    return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
  }

  /** A manifest, by tag or digest; by digest only with the bytes that have it. */
  async manifest(name: UpstreamName, reference: string): Promise<FetchedManifest | null> {
    const response = await this.ask(name, {
      method: 'GET',
      path: `manifests/${reference}`,
      headers: ACCEPT_MANIFESTS,
    });
    if (response === null) return null;
    const bytes = await readBody(response, MANIFEST_LIMIT).catch((error: unknown) => {
      throw this.broken(name.upstream, error);
    });
    const what = `${name.path} ${reference}`;
    if (bytes === null) {
      response.destroy();
      throw upstreamUnavailable(name.upstream, 'invalid', `sent a manifest above 4 MiB for ${what}`);
    }
    const told = isDigest(reference) ? reference : response.headers['docker-content-digest'];
    const promised = typeof told === 'string' && isDigest(told) ? told : null;
    const digest = digestOf(bytes, promised === null ? 'sha256' : algorithmOf(promised));
    if (promised !== null && promised !== digest) {
      throw upstreamUnavailable(
        name.upstream,
        'invalid',
        `sent a manifest for ${what} whose digest is ${digest}`,
      );
    }
    return { digest, bytes, mediaType: (response.headers['content-type'] ?? '').split(';')[0]!.trim() };
  }

  /** The index of what refers to a manifest; null where the upstream tells none. */
  async referrers(name: UpstreamName, subject: Digest): Promise<Buffer | null> {
    const response = await this.ask(name, {
      method: 'GET',
      path: `referrers/${subject}`,
      headers: { accept: OCI_INDEX },
    });
    if (response === null) return null;
    return readBody(response, MANIFEST_LIMIT).catch((error: unknown) => {
      throw this.broken(name.upstream, error);
    });
  }

  /** Size of a blob, undefined when the upstream has it and does not tell. */
  async blobSize(name: UpstreamName, digest: Digest): Promise<number | undefined | null> {
    const response = await this.ask(name, { method: 'HEAD', path: `blobs/${digest}` });
    if (response === null) return null;
    abandon(response);
    return lengthOf(response) ?? undefined;
  }

  /** `from`: the first byte that is wanted, of a blob whose transfer broke off. */
  async blob(name: UpstreamName, digest: Digest, from = 0): Promise<BlobOnItsWay | null> {
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const body = await this.ask(name, { method: 'GET', path: `blobs/${digest}`, headers });
    if (body === null || body.statusCode === 200) return body && { size: lengthOf(body), start: 0, body };
    const part = partOf(body);
    if (part !== null) return { ...part, body };
    body.destroy();
    throw upstreamUnavailable(
      name.upstream,
      'invalid',
      `sent another part of ${digest} than it was asked for`,
    );
  }

  /** What an upstream last told of its limit; null when it did not. */
  rateOf(upstream: string): UpstreamRate | null {
    return this.rates.get(upstream) ?? null;
  }

  /** Asks for `/v2/`, with what it takes to be let in. Null when it answers; else why it does not, for people. */
  async check(upstream: Upstream): Promise<string | null> {
    try {
      const response = await this.authorized(upstream, null, { method: 'GET', path: '' });
      abandon(response);
      if (response.statusCode === 200) return null;
      if (response.statusCode === 401)
        return `${upstream.name} does not take the credentials (it answered 401)`;
      return `${upstream.name} answered ${response.statusCode} for /v2/`;
    } catch (error) {
      if (isUpstreamTrouble(error)) return error.message;
      throw error;
    }
  }

  private async ask(name: UpstreamName, question: Question): Promise<IncomingMessage | null> {
    const upstream = this.upstreams.get(name.upstream);
    if (upstream === undefined)
      throw upstreamUnavailable(name.upstream, 'failed', 'is not configured any more');
    this.breaker.check(upstream.name);
    try {
      const response = await this.answerOf(upstream, name.path, question);
      this.breaker.answered(upstream.name);
      this.count(upstream, response === null ? 'absent' : 'answered');
      return response;
    } catch (error) {
      if (isUpstreamTrouble(error)) {
        this.breaker.failed(upstream.name, error);
        this.count(upstream, outcomeOf(error));
      }
      throw error;
    }
  }

  private count({ name }: Upstream, outcome: UpstreamOutcome): void {
    this.metrics?.upstream.inc({ upstream: name, outcome });
  }

  private async answerOf(
    upstream: Upstream,
    repository: string,
    question: Question,
  ): Promise<IncomingMessage | null> {
    const response = await this.authorized(upstream, repository, question);
    const rate = rateIn(response);
    if (rate !== null) {
      this.rates.set(upstream.name, rate);
      this.metrics?.rate.set({ upstream: upstream.name }, rate.remaining);
    }
    const status = response.statusCode ?? 0;
    if (status === 200 || (status === 206 && question.headers?.range !== undefined)) return response;
    abandon(response);
    if (status === 404) return null;
    if (status === 429) throw upstreamRateLimited(upstream.name, response.headers['retry-after']);
    if (status === 401 || status === 403) {
      throw upstreamUnavailable(
        upstream.name,
        'refused',
        `refuses ${repository}: there is no such repository, or it needs credentials that Berth was not given`,
      );
    }
    throw upstreamUnavailable(upstream.name, 'failed', `answered ${status} for ${repository}`);
  }

  private async authorized(
    upstream: Upstream,
    repository: string | null,
    { method, path, headers = {} }: Question,
  ): Promise<IncomingMessage> {
    const asked = {
      method,
      headers,
      url: new URL(`${upstream.url}/v2/${repository === null ? '' : `${repository}/`}${path}`),
    };
    const first = await this.following(upstream, asked, this.tokens.known(upstream, repository));
    if (first.statusCode !== 401) return first;
    this.tokens.forget(upstream, repository);
    const challenge = parseChallenge(first.headers['www-authenticate']);
    if (challenge === null) return first;
    abandon(first);
    const authorization = await this.tokens.meet(challenge, upstream, repository);
    return this.following(upstream, asked, authorization);
  }

  /** Follows redirects, as blobs often lie in an object store. Authorization goes to the upstream's own origin only. */
  private async following(
    upstream: Upstream,
    asked: { method: 'GET' | 'HEAD'; url: URL; headers: OutgoingHttpHeaders },
    authorization: string | undefined,
  ): Promise<IncomingMessage> {
    const home = new URL(upstream.url).origin;
    let url = asked.url;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const response = await exchange({
        method: asked.method,
        url,
        headers: {
          ...asked.headers,
          ...(authorization !== undefined && url.origin === home ? { authorization } : {}),
        },
        timeouts: this.timeouts,
      }).catch((error: unknown) => {
        throw this.broken(upstream.name, error);
      });
      if (!REDIRECTS.has(response.statusCode ?? 0)) return response;
      abandon(response);
      url = nextHop(upstream, url, response.headers.location);
    }
    throw upstreamUnavailable(upstream.name, 'invalid', `redirects more than ${MOST_REDIRECTS} times`);
  }

  private broken(upstream: string, error: unknown): Error {
    if (error instanceof ExchangeTimeout)
      return upstreamUnavailable(upstream, 'timeout', `is too slow: ${error.message}`, error);
    const code = (error as NodeJS.ErrnoException).code;
    return upstreamUnavailable(
      upstream,
      'unreachable',
      `cannot be reached${code ? ` (${code})` : ''}`,
      error,
    );
  }
}

function nextHop(upstream: Upstream, from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw upstreamUnavailable(upstream.name, 'invalid', 'redirects to nowhere');
  }
  const to = new URL(location, from);
  const downgrade = from.protocol === 'https:' && to.protocol !== 'https:';
  if (downgrade || !['http:', 'https:'].includes(to.protocol)) {
    throw upstreamUnavailable(
      upstream.name,
      'invalid',
      `redirects to ${to.protocol}//, which is not followed`,
    );
  }
  return to;
}

function lengthOf(response: IncomingMessage): number | null {
  const text = response.headers['content-length'];
  return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
}

function outcomeOf({ code, extensions }: BerthError): UpstreamOutcome {
  if (code === 'UPSTREAM_RATE_LIMITED') return 'limited';
  return extensions.failure === 'refused' ? 'refused' : 'failed';
}

/** `ratelimit-limit: 100;w=21600`, as Docker Hub tells it. */
function rateIn({ headers }: IncomingMessage): UpstreamRate | null {
  const [, limit, seconds] = /^(\d+)(?:;w=(\d+))?/.exec(String(headers['ratelimit-limit'] ?? '')) ?? [];
  const [, remaining] = /^(\d+)/.exec(String(headers['ratelimit-remaining'] ?? '')) ?? [];
  if (limit === undefined || remaining === undefined) return null;
  return { limit: Number(limit), remaining: Number(remaining), seconds: Number(seconds ?? 0) };
}

/** What a 206 says to be (RFC 9110, 14.4), when it says all of it. */
function partOf(response: IncomingMessage): { start: number; size: number } | null {
  const [, first, last, size] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (size === undefined || Number(last) !== Number(size) - 1) return null;
  return { start: Number(first), size: Number(size) };
}
