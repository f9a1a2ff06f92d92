import type { IncomingMessage } from 'node:http';

const HOST = /^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:]+\](?::\d{1,5})?$/;

export interface Asked {
  /** Null for what takes none. */
  scope: string | null;
  /** Whether there was a valid token, for something else. */
  insufficient: boolean;
}

/** What `WWW-Authenticate` says: where to get a token, for what. Basic, by which a Berth token goes in each request, where there is no token flow. */
export function challengeOf(
  request: IncomingMessage,
  tokensAvailable: boolean,
  { scope, insufficient }: Asked,
): string {
  const { host = '' } = request.headers;
  if (!tokensAvailable || !HOST.test(host)) return 'Basic realm="berth"';
  // Whoever stands in front and ends TLS says so; where clients go with it is their own request's business alone.
  const https = request.headers['x-forwarded-proto'] === 'https';
  const parameters = [
    `realm="${https ? 'https' : 'http'}://${host}/token"`,
    'service="berth"',
    ...(scope === null ? [] : [`scope="${scope}"`]),
    ...(insufficient ? ['error="insufficient_scope"'] : []),
  ];
  return `Bearer ${parameters.join(',')}`;
}
