import { z } from 'zod';
import { bothOrNeither, UpstreamSettings } from '@berth/contracts';
import { isUpstreamName } from '../names/repository-name.js';

/** `REGISTRY_UPSTREAMS`: a JSON object, name of the upstream -> where and as whom. */
export const UpstreamsSetting = z
  .record(
    z.string().refine(isUpstreamName, {
      error: 'an upstream is named like a host with a dot and no port: docker.io',
    }),
    UpstreamSettings.refine(...bothOrNeither),
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
  return new Map(Object.entries(setting).map(([name, settings]) => [name, upstreamOf(name, settings)]));
}

export function upstreamOf(
  name: string,
  { url, username, password, tokenHosts }: z.output<typeof UpstreamSettings>,
): Upstream {
  const known = KNOWN_TOKEN_HOSTS[new URL(url).host];
  return {
    name,
    url: url.replace(/\/+$/, ''),
    credentials: username !== undefined && password !== undefined ? { username, password } : null,
    tokenHosts: new Set(known === undefined ? tokenHosts : [...tokenHosts, known]),
  };
}

/** Host as people write it in a reference -> name of the upstream: its name, or the host and port of its URL. */
export function upstreamsByHost(upstreams: Iterable<Upstream>): Map<string, string> {
  const all = [...upstreams];
  const byUrl = all.map(({ name, url }): [string, string] => [new URL(url).host, name]);
  return new Map([...byUrl, ...all.map(({ name }): [string, string] => [name, name])]);
}
