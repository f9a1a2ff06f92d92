import { z } from 'zod';
import { isUpstreamName } from '../names/repository-name.js';

const HttpUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => new URL(text).username === '', { error: 'put the user in "username", not into the URL' });

const UpstreamSettings = z
  .strictObject({
    url: HttpUrl.describe('Where its /v2/ is, e.g. https://registry-1.docker.io'),
    username: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    tokenHosts: z
      .array(z.string())
      .default([])
      .describe(
        'Hosts besides its own that may be sent its credentials when they hand out its tokens, over https',
      ),
  })
  .refine((upstream) => (upstream.username === undefined) === (upstream.password === undefined), {
    error: 'username and password go together',
  });

/** `REGISTRY_UPSTREAMS`: a JSON object, name of the upstream -> where and as whom. */
export const UpstreamsSetting = z
  .record(
    z.string().refine(isUpstreamName, {
      error: 'an upstream is named like a host with a dot and no port: docker.io',
    }),
    UpstreamSettings,
  )
  .default({ 'docker.io': { url: 'https://registry-1.docker.io', tokenHosts: [] } });

/** A registry that images are pulled through from. */
export interface Upstream {
  name: string;
  /** Without a slash at its end. */
  url: string;
  credentials: { username: string; password: string } | null;
  tokenHosts: ReadonlySet<string>;
}

// Docker Hub's tokens come from another host than its registry.
const KNOWN_TOKEN_HOSTS: Readonly<Record<string, string>> = { 'registry-1.docker.io': 'auth.docker.io' };

export function readUpstreams(setting: z.output<typeof UpstreamsSetting>): Map<string, Upstream> {
  return new Map(
    Object.entries(setting).map(([name, { url, username, password, tokenHosts }]) => {
      const known = KNOWN_TOKEN_HOSTS[new URL(url).host];
      return [
        name,
        {
          name,
          url: url.replace(/\/+$/, ''),
          credentials: username !== undefined && password !== undefined ? { username, password } : null,
          tokenHosts: new Set(known === undefined ? tokenHosts : [...tokenHosts, known]),
        },
      ];
    }),
  );
}

/** Host as people write it in a reference -> name of the upstream: its name, or the host and port of its URL. */
export function upstreamsByHost(upstreams: ReadonlyMap<string, Upstream>): Map<string, string> {
  const byUrl = [...upstreams.values()].map(({ name, url }): [string, string] => [new URL(url).host, name]);
  const byName = [...upstreams.keys()].map((name): [string, string] => [name, name]);
  return new Map([...byUrl, ...byName]);
}
