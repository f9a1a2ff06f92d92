import { z } from 'zod';
import { defineAction } from './define.js';
import { before, change, read } from './kinds.js';

/** What clients of the registry do. */
const images = { owner: 'registry-proxy' } as const;
const ImageFacts = z.object({
  registry: z.string(),
  repository: z.string(),
  reference: z.string().describe('Tag or digest'),
});
export const imagePull = defineAction({
  name: 'image.pull',
  summary: 'Pull an image, or resolve its tag',
  ...images,
  ...read,
  resource: ['Image'],
  permission: 'view',
  context: ImageFacts,
});
export const imagePush = defineAction({
  name: 'image.push',
  summary: 'Push an image',
  ...images,
  ...change,
  resource: ['Image'],
  permission: 'develop',
  context: ImageFacts,
  outcome: z.object({ digest: z.string(), mediaType: z.string(), size: z.int() }),
});
export const imageDelete = defineAction({
  name: 'image.delete',
  summary: 'Delete a tag, or an image with its tags',
  ...images,
  ...change,
  resource: ['Image'],
  permission: 'develop',
  context: ImageFacts,
});
export const imageList = defineAction({
  name: 'image.list',
  summary: 'List the tags of a repository',
  ...images,
  ...read,
  resource: ['Image'],
  permission: 'view',
  context: z.object({ registry: z.string(), repository: z.string() }),
});
export const repositoryList = defineAction({
  name: 'repository.list',
  summary: 'List repositories, with what they take',
  ...images,
  ...read,
  resource: ['Platform', 'Team'],
  permission: 'view',
});
/** Only before: what is gone does not come back. The rounds that nobody asks for are the registry's own. */
export const imageCollect = defineAction({
  name: 'image.collect',
  summary: 'Remove stored bytes that no image names',
  ...images,
  ...change,
  hooks: before,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({ graceSeconds: z.int() }),
});
