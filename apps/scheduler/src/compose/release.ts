import { createHash } from 'node:crypto';
import type { ComposeSpec, ServiceSpec } from './spec.js';

/** Where an image is pulled from: `<registry>/<repository>@<digest>`. */
export interface PinnedImage {
  repository: string;
  digest: string;
}

/** A normalised spec with every image pinned. Immutable; named by its digest. */
export interface ReleaseSpec {
  services: Record<string, ServiceSpec & { pinned: PinnedImage }>;
  volumes: ComposeSpec['volumes'];
}

/** `spec` with the images found for its services. */
export function pinImages(spec: ComposeSpec, images: ReadonlyMap<string, PinnedImage>): ReleaseSpec {
  const services = Object.entries(spec.services).map(([name, service]) => {
    const pinned = images.get(name);
    if (!pinned) throw new Error(`no image was resolved for the service ${name}`);
    return [name, { ...service, pinned: { repository: pinned.repository, digest: pinned.digest } }] as const;
  });
  return { services: Object.fromEntries(services), volumes: spec.volumes };
}

/** JSON with the keys of each object sorted by code unit and nothing between tokens (as RFC 8785 orders them). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `sha256:…` of the canonical form: what a release is called. */
export function releaseDigest(release: ReleaseSpec): string {
  return `sha256:${createHash('sha256').update(canonicalJson(release)).digest('hex')}`;
}
