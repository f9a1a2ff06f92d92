import { z } from 'zod';
import { defineAction } from './define.js';
import { before, change, read } from './kinds.js';

/** Rules by which images go by themselves; each that goes is an `image.delete` of its own. */
const retention = { owner: 'registry-proxy', resource: ['Team'] } as const;
const scoped = z.object({ scope: z.string() });
const rule = scoped.extend({
  keepLast: z.int().optional(),
  olderThanSeconds: z.int().optional(),
  tags: z.string(),
});
export const retentionList = defineAction({
  name: 'retention.list',
  summary: 'List the rules by which images go',
  ...read,
  ...retention,
  resource: ['Platform', 'Team'],
  permission: 'view',
});
export const retentionSet = defineAction({
  name: 'retention.set',
  summary: 'Let images go by a rule',
  ...change,
  ...retention,
  permission: 'maintain',
  context: rule,
});
export const retentionRemove = defineAction({
  name: 'retention.remove',
  summary: 'Let images stay again',
  ...change,
  ...retention,
  permission: 'maintain',
  context: scoped,
});
export const retentionPreview = defineAction({
  name: 'retention.preview',
  summary: 'See what would go by a rule',
  ...read,
  hooks: before,
  ...retention,
  permission: 'view',
  context: rule,
});
/** Only before: each image that goes is judged by itself, before and after. */
export const retentionApply = defineAction({
  name: 'retention.apply',
  summary: 'Let go at once what goes by a rule',
  ...change,
  hooks: before,
  ...retention,
  permission: 'maintain',
  context: scoped,
});
