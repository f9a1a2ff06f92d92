/** What a registry's 401 asks for (RFC 9110, section 11.6.1). */
export interface Challenge {
  scheme: 'bearer' | 'basic';
  parameters: Readonly<Record<string, string>>;
}

// auth-param, RFC 9110, section 11.2: token "=" ( token / quoted-string ).
const PARAMETER = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi;

/** The first challenge of a `WWW-Authenticate` header that a registry client can meet; null when there is none. */
export function parseChallenge(header: string | undefined): Challenge | null {
  const match = /^\s*(bearer|basic)(?:\s+(.*))?$/is.exec((header ?? '').slice(0, 8_192));
  if (match === null) return null;
  const parameters: Record<string, string> = {};
  for (const [, name = '', quoted, bare = ''] of (match[2] ?? '').matchAll(PARAMETER)) {
    parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? bare;
  }
  return { scheme: match[1]!.toLowerCase() as Challenge['scheme'], parameters };
}
