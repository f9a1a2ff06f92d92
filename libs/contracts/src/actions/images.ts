import { z } from 'zod';
import { defineAction } from './define.js';
import { ImageFound, ImageNamed } from './facts.js';
import { before, both, change, read } from './kinds.js';

/** What clients of the registry do. */
const images = { owner: 'registry-proxy' } as const;
export const imagePull = defineAction({
  name: 'image.pull',
  summary: 'Pull an image, or resolve its tag',
  ...images,
  ...read,
  hooks: both,
  resource: ['Image'],
  permission: 'view',
  context: ImageNamed,
  outcome: ImageFound,
});
export const imagePush = defineAction({
  name: 'image.push',
  summary: 'Push an image',
  ...images,
  ...change,
  consumes: ['storage'],
  resource: ['Image'],
  permission: 'develop',
  context: ImageNamed,
  outcome: ImageFound,
});
export const imageDelete = defineAction({
  name: 'image.delete',
  summary: 'Delete a tag, or an image with its tags',
  ...images,
  ...change,
  resource: ['Image'],
  permission: 'develop',
  context: ImageNamed,
  outcome: ImageFound,
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
export const registryRead = defineAction({
  name: 'registry.read',
  summary: 'Show what the registry stores, and how much of what is pulled it had',
  ...images,
  ...read,
  resource: ['Platform'],
  permission: 'administer',
});
/** Only before: what is damaged is no more given out, whoever says what. */
export const imageScrub = defineAction({
  name: 'image.scrub',
  summary: 'Read stored bytes again, and put away what is damaged',
  ...images,
  ...change,
  hooks: before,
  resource: ['Platform'],
  permission: 'administer',
  context: z.object({}),
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
