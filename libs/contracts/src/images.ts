import { z } from 'zod';
import { Digest, Name, Timestamp } from './names.js';
import { PageRequest } from './pages.js';

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
      onBuild: z.array(z.string()).optional().describe('What a build that starts from it does first'),
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

/** The user of an image or a container as policy is told it: `root` for each way to say so (OCI image spec, config.md, "User"). */
export function runsAs(user: string): string {
  return /^(|[+-]?0+|root)(:.*)?$/.test(user) ? 'root' : user;
}

/** Pulls by where what was given out came from. */
export const PullSources = z.object({
  hosted: z.int().describe('Images of teams'),
  cache: z.int().describe('Of upstreams, and here already'),
  stale: z.int().describe('Of upstreams, here already, and given out though the upstream could not be asked'),
  upstream: z.int().describe('Fetched for the pull'),
});
export type PullSources = z.infer<typeof PullSources>;

const Pulls = PullSources.extend({
  hitRate: z
    .number()
    .nullable()
    .describe(
      'What was here already, of all that comes from upstreams: 0 to 1; null where nothing was pulled',
    ),
});

export const ReadRegistryUsage = z.strictObject({
  days: z.coerce.number().pipe(z.int().min(1).max(400)).default(30).describe('Up to now, with today; in UTC'),
});
export type ReadRegistryUsage = z.output<typeof ReadRegistryUsage>;

export const RegistryUsage = z
  .object({
    days: z.int(),
    stored: z.object({
      hosted: z.int().describe('Bytes of blobs that images of teams name, each once'),
      cached: z.int().describe('Bytes of those that only images of upstreams name'),
    }),
    manifests: Pulls,
    blobs: Pulls,
  })
  .meta({ id: 'RegistryUsage' });
export type RegistryUsage = z.infer<typeof RegistryUsage>;

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

export const ScrubImages = z
  .strictObject({
    verifiedBefore: Timestamp.optional().describe(
      'What was verified since then is left out; now, when left out',
    ),
  })
  .meta({ id: 'ScrubImages' });
export type ScrubImages = z.infer<typeof ScrubImages>;

export const DamagedBlob = z
  .object({
    digest: z.string(),
    bytes: z.int().describe('That it should have'),
    damage: z
      .enum(['rotten', 'missing'])
      .describe('Its bytes are others than its digest says, or are not there'),
    repositories: z
      .array(z.string())
      .describe('Hosted ones that hold it: their images need to be pushed again'),
    upstreams: z
      .array(z.string())
      .describe('Repositories of upstreams that held it: they fetch it again when it is asked for'),
  })
  .meta({ id: 'DamagedBlob' });
export type DamagedBlob = z.infer<typeof DamagedBlob>;

export const ScrubbedImages = z
  .object({
    blobs: z.int().describe('How many were read'),
    bytes: z.int(),
    damaged: z.array(DamagedBlob),
    verifiedBefore: Timestamp.describe('To ask on with'),
    more: z.boolean().describe('Whether there is more than could be done at once: ask again'),
  })
  .meta({ id: 'ScrubbedImages' });
export type ScrubbedImages = z.infer<typeof ScrubbedImages>;

/** `acme/web`, or `docker.io/library/nginx` of what was pulled through. */
export const RepositoryName = z
  .string()
  .max(255)
  .regex(/^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/, {
    error: 'must be <team>/<name>, or <upstream>/<name>',
  });

export const ListRepositories = PageRequest.extend({
  team: Name.optional().describe('Those of one team'),
});
export type ListRepositories = z.infer<typeof ListRepositories>;

export const Repository = z
  .object({
    name: z.string(),
    team: Name.nullable().describe('Null of what was pulled through'),
    upstream: z.string().nullable(),
    tags: z.int().describe('How many'),
    bytes: z.int().describe('Of all that it holds; what others hold too counts here as well'),
    updatedAt: Timestamp.nullable().describe('When a tag was last set'),
  })
  .meta({ id: 'Repository' });
export type Repository = z.infer<typeof Repository>;

export const InRepository = z.strictObject({ repository: RepositoryName });
export const ListImageTags = PageRequest.extend(InRepository.shape);
export type ListImageTags = z.infer<typeof ListImageTags>;

export const ImageTag = z
  .object({
    name: z.string(),
    digest: z.string(),
    mediaType: z.string(),
    bytes: z
      .int()
      .nullable()
      .describe('Of all its layers and its config; null of an index, which lists images'),
    updatedAt: Timestamp,
  })
  .meta({ id: 'ImageTag' });
export type ImageTag = z.infer<typeof ImageTag>;

export const RemoveImage = InRepository.extend({
  reference: z
    .string()
    .min(1)
    .max(200)
    .describe('A tag, which goes alone, or a digest, whose image goes with all its tags'),
});
export type RemoveImage = z.infer<typeof RemoveImage>;

export const InspectImage = InRepository.extend({
  reference: z.string().min(1).max(200).default('latest').describe('A tag, or a digest'),
});
export type InspectImage = z.infer<typeof InspectImage>;

/** A manifest, and the config of the image where it is one (OCI image spec, manifest.md, image-index.md, config.md). */
export const ImageDetails = z
  .object({
    repository: z.string(),
    reference: z.string(),
    digest: z.string(),
    mediaType: z.string(),
    artifactType: z.string().nullable(),
    subject: z.string().nullable().describe('Digest of the manifest that this one says something about'),
    bytes: z.int().describe('Of config and layers; 0 of an index'),
    platforms: z.array(z.string()),
    user: z
      .string()
      .nullable()
      .describe('`root` where its config names none; null of what is no container image'),
    created: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    layers: z.array(z.object({ digest: z.string(), mediaType: z.string(), bytes: z.int() })),
    manifests: z
      .array(z.object({ digest: z.string(), mediaType: z.string(), platform: z.string().nullable() }))
      .describe('What an index lists'),
  })
  .meta({ id: 'ImageDetails' });
export type ImageDetails = z.infer<typeof ImageDetails>;
