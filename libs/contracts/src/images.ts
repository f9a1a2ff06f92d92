import { z } from 'zod';
import { Digest } from './names.js';

export const Platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});
export type Platform = z.infer<typeof Platform>;

export const ResolveImage = z.object({
  reference: z.string().min(1).max(1024).describe('As written in the Compose file'),
  platform: Platform,
});

/** An image found, with what its config says (OCI image spec, config.md). Pulled as `<registry>/<repository>@<digest>`. */
export const ResolvedImage = z
  .object({
    reference: z.string(),
    repository: z.string().describe('Within the registry-proxy: `docker.io/library/nginx`, `acme/web`'),
    digest: Digest.describe('Of the manifest or index that the reference names'),
    platformDigest: Digest,
    mediaType: z.string(),
    size: z.int().describe('Bytes of all layers, compressed'),
    cached: z.boolean().describe('Whether the manifest was here already'),
    config: z.object({
      user: z.string(),
      entrypoint: z.array(z.string()),
      command: z.array(z.string()),
      exposedPorts: z.array(z.string()),
      volumes: z.array(z.string()),
      labels: z.record(z.string(), z.string()),
      hasHealthcheck: z.boolean(),
      createdAt: z.string().nullable(),
    }),
  })
  .meta({ id: 'ResolvedImage' });
export type ResolvedImage = z.infer<typeof ResolvedImage>;

/** The registry and repository of a name within the proxy: `docker.io/library/nginx`, or `acme/web` of `berth`. */
export function registryOf(repository: string): string {
  const first = repository.split('/')[0];
  return first.includes('.') || first.includes(':') ? first : 'berth';
}

export const CollectGarbage = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(600)
      .max(30 * 86_400)
      .default(86_400)
      .describe('How long what was uploaded waits for the image that names it'),
  })
  .meta({ id: 'CollectGarbage' });
export type CollectGarbage = z.infer<typeof CollectGarbage>;

export const CollectedGarbage = z
  .object({
    links: z.int().describe('Blobs that a repository let go of, as no image of it names them'),
    blobs: z.int().describe('Blobs that were removed, as no repository holds them any more'),
    bytes: z.int().describe('What that freed'),
    strays: z.int().describe('Files that a crash had left behind, removed'),
    more: z.boolean().describe('Whether there is more than could be done at once: ask again'),
  })
  .meta({ id: 'CollectedGarbage' });
export type CollectedGarbage = z.infer<typeof CollectedGarbage>;
