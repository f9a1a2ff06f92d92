import { z } from 'zod';
import { defineAction } from './define.js';
import { before, change, read } from './kinds.js';

/** Registries that images are pulled through from. */
const upstreams = { owner: 'registry-proxy', resource: ['Platform'] } as const;
const named = z.object({ name: z.string() });
export const upstreamList = defineAction({
  name: 'upstream.list',
  summary: 'List the registries that images are pulled through from',
  ...read,
  ...upstreams,
  permission: 'anyone',
});
export const upstreamSet = defineAction({
  name: 'upstream.set',
  summary: 'Add such a registry, or change how it is reached',
  ...change,
  ...upstreams,
  permission: 'administer',
  context: named.extend({ url: z.string(), credentials: z.boolean(), tokenHosts: z.array(z.string()) }),
});
export const upstreamRemove = defineAction({
  name: 'upstream.remove',
  summary: 'Pull no more images through from a registry',
  ...change,
  ...upstreams,
  permission: 'administer',
  context: named,
});
export const upstreamCheck = defineAction({
  name: 'upstream.check',
  summary: 'Ask such a registry whether it answers, and takes the credentials',
  ...read,
  hooks: before,
  ...upstreams,
  permission: 'administer',
  context: named,
});
