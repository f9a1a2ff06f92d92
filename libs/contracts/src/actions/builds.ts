import { z } from 'zod';
import { defineAction } from './define.js';
import { change } from './kinds.js';

/**
 * An image that Berth makes from a Dockerfile. Recorded twice: when it is let begin, and when it has ended. Putting it into the
 * registry is an `image.push` of its own, and each image that it starts from an `image.pull`.
 */
export const imageBuild = defineAction({
  name: 'image.build',
  summary: 'Build an image from a Dockerfile',
  ...change,
  owner: 'scheduler',
  resource: ['Image'],
  permission: 'develop',
  consumes: ['cpu', 'memory'],
  context: z.object({
    ...{ project: z.string(), registry: z.string(), repository: z.string(), tag: z.string() },
    dockerfile: z.string().describe('Its path in the context'),
    target: z.string().optional().describe('The stage that is wanted'),
    arguments: z
      .array(z.string())
      .describe('Names of the arguments that are given; their values are kept nowhere'),
    bases: z
      .array(z.string())
      .describe('Repositories, with their registry, of the images that it starts or copies from'),
    baseRegistries: z.array(z.string()),
    baseTags: z.array(z.string()).describe('`latest` where none is written; none for those by digest'),
    baseDigests: z.array(z.string()),
    commands: z.int().describe('How many RUN instructions it has'),
    network: z.boolean().describe('Whether its RUN instructions reach the outside'),
    contextBytes: z.int(),
    cpuMillis: z.int(),
    memoryBytes: z.int(),
  }),
  outcome: z.object({
    user: z.string().describe('Of the config; `root` where it names none'),
    labels: z.array(z.string()).describe('Of the config, each as `name=value`'),
    platform: z.string().describe('`linux/amd64`'),
    size: z.int().describe('Bytes of its layers, unpacked'),
    layers: z.int(),
    exposedPorts: z.array(z.string()).describe('`80/tcp`'),
    volumes: z.array(z.string()),
  }),
});
