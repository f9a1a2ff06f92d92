import { z } from 'zod';
import { Digest, Id, Name } from './names.js';
import { Variables } from './workloads.js';

/** Which deployment brings a release, and which release. */
export const MetadataRelease = z.strictObject({ digest: Digest, deployment: Id });
export type MetadataRelease = z.infer<typeof MetadataRelease>;

export const MetadataService = z.strictObject({
  name: Name.describe('Its name in the network of the environment as well'),
  image: z.strictObject({ reference: z.string().describe('As written'), digest: Digest }),
  replicas: z.int().describe('Instances that there are to be'),
  ports: z
    .array(
      z.strictObject({
        target: z.int().describe('Of the container'),
        published: z.int().nullable().describe('Of the host; null for one that the engine picks'),
        protocol: z.enum(['tcp', 'udp']),
      }),
    )
    .describe('What is opened on the host'),
  protocol: z.enum(['http', 'h2c']).nullable().describe('Of its way in; null for a service without one'),
  url: z
    .strictObject({
      inside: z.string().nullable().describe('In the network of the environment'),
      outside: z.string().nullable().describe('Where requests come in'),
    })
    .describe('Null for a service without a way in'),
});
export type MetadataService = z.infer<typeof MetadataService>;

/** A backing service of the environment. Its credentials are no part of it. */
export const MetadataResource = z.strictObject({
  name: Name.describe('Its name in the network of the environment as well'),
  kind: z.string().describe('The entry of the catalog that it is made from: `postgres`, …'),
  version: z.string(),
  port: z.int(),
  variables: z
    .record(z.string(), z.string())
    .describe('How it is reached, by the names that its entry gives: `HOST`, `PORT`, …'),
});
export type MetadataResource = z.infer<typeof MetadataResource>;

/**
 * What an environment tells its own instances of itself. The version of this shape is in the path (`/v1`): within it, only
 * optional additions.
 */
export const EnvironmentMetadata = z.strictObject({
  project: Name,
  environment: Name,
  release: MetadataRelease.nullable().describe(
    'What is in force; null until a first deployment has succeeded',
  ),
  rollingOut: MetadataRelease.nullable().describe('What is on its way; null when nothing is'),
  configuration: z.int().describe('Version of the variables and settings in force'),
  variables: Variables.describe('Of the environment. Secrets are none of these'),
  services: z
    .array(MetadataService)
    .describe('Of the release in force; of the one on its way where none is in force yet'),
  resources: z.array(MetadataResource),
});
export type EnvironmentMetadata = z.infer<typeof EnvironmentMetadata>;
