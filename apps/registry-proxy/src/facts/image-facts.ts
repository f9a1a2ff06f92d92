import { z } from 'zod';
import { BerthError, runsAs } from '@berth/contracts';
import type { Digest } from '../names/digest.js';
import { exactly } from '../names/exact-keys.js';
import type { ManifestContent } from '../pull/manifest-content.js';
import { normalisePlatform, platformsOf, platformText } from '../resolve/platforms.js';

/** What of an image never changes, for policy to judge. */
export interface ImageFacts {
  digest: Digest;
  mediaType: string;
  /** Bytes of config and layers. */
  size: number;
  platforms: string[];
  user?: string;
  labels: string[];
  created?: string;
}

/** Bytes. A question to policy is one message, which has a megabyte. */
const LABELS_LIMIT = 64 * 1024;

// OCI image spec, config.md. Laxer than what is launched: an engine may yet run what names no platform.
const text = z.string().nullish();
const Config = exactly(
  z.object({
    os: text,
    architecture: text,
    variant: text,
    created: text,
    rootfs: z.unknown(),
    config: exactly(z.object({ User: text, Labels: z.record(z.string(), z.string()).nullish() })).nullish(),
  }),
);
/** One of these makes the config that of a container image; artifacts have configs of their own. */
const OF_AN_IMAGE = new Set(['os', 'config', 'rootfs']);

/** Of an index: `config` is null. Throws IMAGE_INVALID for a config that clients may read otherwise than policy would be told. */
export function factsOf(
  { digest, mediaType }: { digest: Digest; mediaType: string },
  content: ManifestContent,
  config: Buffer | null,
): ImageFacts {
  const facts = { digest, mediaType, size: content.parts.reduce((sum, part) => sum + part.size, 0) };
  if (content.config === null)
    return { ...facts, size: 0, platforms: platformsOf(content.entries).sort(), labels: [] };
  return { ...facts, ...configFacts(config) };
}

function configFacts(bytes: Buffer | null): Pick<ImageFacts, 'platforms' | 'user' | 'labels' | 'created'> {
  const document = bytes && parseObject(bytes);
  if (!document || !Object.keys(document).some((key) => OF_AN_IMAGE.has(key.toLowerCase())))
    return { platforms: [], labels: [] };
  const parsed = Config.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw unfit(`in its config, ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { os, architecture, variant, created, config } = parsed.data;
  const labels = Object.entries(config?.Labels ?? {}).map(([name, value]) => `${name}=${value}`);
  if (Buffer.byteLength(labels.join('')) > LABELS_LIMIT) throw unfit('it has more than 64 KiB of labels');
  const platform = os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : null;
  return {
    platforms: platform ? [platformText(normalisePlatform(platform))] : [],
    user: runsAs(config?.User ?? ''),
    labels: labels.sort(),
    ...(created && !Number.isNaN(Date.parse(created)) ? { created } : {}),
  };
}

export function unfit(why: string): BerthError {
  return new BerthError('IMAGE_INVALID', `Policy cannot judge this image: ${why}.`);
}

function parseObject(bytes: Buffer): object | null {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof document === 'object' && !Array.isArray(document) ? document : null;
  } catch {
    return null;
  }
}
