import { z } from 'zod';
import type { PartRole } from '../catalog/entities.js';
import { isDigest } from '../names/digest.js';
import { exactly } from '../names/exact-keys.js';
import { DOCKER_LIST, DOCKER_MANIFEST, isIndexType, MANIFEST_TYPES } from './media-types.js';

/** What Berth must know of a manifest. The bytes are what is stored and served; this is only read out of them. */
export interface ManifestContent {
  parts: { digest: string; size: number; role: PartRole }[];
  /** Digest of the manifest that this one says something about. */
  subject: string | null;
  /** Its own, else an image's config media type (OCI distribution spec 1.1, "Listing Referrers"). */
  artifactType: string | null;
  annotations: Record<string, string> | null;
  /** Of an index: what it lists, with the platform of each. */
  entries: IndexEntry[];
  /** Of an image: its config. */
  config: { digest: string; size: number; mediaType: string } | null;
  layers: { digest: string; size: number; mediaType: string }[];
}

export interface IndexEntry {
  digest: string;
  size: number;
  mediaType: string;
  platform: { os: string; architecture: string; variant?: string } | null;
}

export class ManifestProblem extends Error {
  override readonly name = 'ManifestProblem';
}

const Descriptor = z.object({
  mediaType: z.string().default(''),
  digest: z.string().refine(isDigest, { error: 'is not a sha256 or sha512 digest' }),
  size: z.int().min(0),
  urls: z.array(z.string()).optional(),
});
const PlatformFacts = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  subject: z.object({ digest: z.string() }).optional(),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
};
const Part = exactly(Descriptor);
const ImageManifest = exactly(z.object({ ...common, config: Part, layers: z.array(Part).max(10_000) }));
const Entry = exactly(Descriptor.extend({ platform: PlatformFacts.optional().catch(undefined) }));
const ImageIndex = exactly(z.object({ ...common, manifests: z.array(Entry).max(10_000) }));

const DOCKER_FORMATS = new Set([DOCKER_LIST, DOCKER_MANIFEST]);

/** Reads a manifest by its media type (OCI image spec: manifest.md, image-index.md). Throws ManifestProblem. */
export function readManifest(bytes: Buffer, mediaType: string): ManifestContent {
  if (!MANIFEST_TYPES.includes(mediaType)) {
    throw new ManifestProblem(`media type "${mediaType}" is not one of ${MANIFEST_TYPES.join(', ')}`);
  }
  const document = parse(bytes);
  // The two kinds look alike to a careless reader: the same bytes must not be an image to one and an index to another.
  if ('manifests' in document && ('config' in document || 'layers' in document)) {
    throw new ManifestProblem('it is both an image and an index');
  }
  const told = document['mediaType'];
  if (told === undefined ? DOCKER_FORMATS.has(mediaType) : told !== mediaType) {
    throw new ManifestProblem(`it is sent as "${mediaType}", and calls itself "${String(told)}"`);
  }
  return isIndexType(mediaType) ? readIndex(document) : readImage(document);
}

function readImage(document: object): ManifestContent {
  const manifest = check(ImageManifest, document);
  // Layers with URLs lie elsewhere by licence, and need not be here (OCI image spec, layer.md, "Non-distributable").
  const here = manifest.layers.filter((layer) => layer.urls === undefined);
  return {
    parts: [
      { digest: manifest.config.digest, size: manifest.config.size, role: 'config' },
      ...distinct(here).map(({ digest, size }) => ({ digest, size, role: 'layer' as const })),
    ],
    subject: manifest.subject?.digest ?? null,
    artifactType: manifest.artifactType || manifest.config.mediaType || null,
    annotations: manifest.annotations ?? null,
    entries: [],
    config: manifest.config,
    layers: manifest.layers,
  };
}

function readIndex(document: object): ManifestContent {
  const index = check(ImageIndex, document);
  return {
    parts: distinct(index.manifests).map(({ digest, size }) => ({ digest, size, role: 'manifest' })),
    subject: index.subject?.digest ?? null,
    artifactType: index.artifactType || null,
    annotations: index.annotations ?? null,
    entries: index.manifests.map(({ digest, size, mediaType, platform }) => ({
      digest,
      size,
      mediaType,
      platform: platform ?? null,
    })),
    config: null,
    layers: [],
  };
}

function parse(bytes: Buffer): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return { ...document };
  } catch {
    // Told below.
  }
  throw new ManifestProblem('it is not a JSON object');
}

function check<T extends z.ZodType>(schema: T, document: object): z.output<T> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ManifestProblem(`${issue?.path.join('.') || 'manifest'}: ${issue?.message}`);
}

function distinct<T extends { digest: string }>(descriptors: T[]): T[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
