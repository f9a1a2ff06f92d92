import { createHash } from 'node:crypto';
import type { ComposeSpec, ServiceSpec } from './spec.js';

/** Where an image is pulled from: `<registry>/<repository>@<digest>`. */
export interface PinnedImage {
  repository: string;
  digest: string;
}

/** What is to run in one environment: every variable put in, every image pinned, every secret named with its version. */
export interface RunSpec {
  services: Record<string, RunService>;
  volumes: ComposeSpec['volumes'];
  /** Versions of the secrets that services are given, by name. */
  secrets: Record<string, number>;
}

export interface RunService extends ServiceSpec {
  pinned: PinnedImage;
  /** How often it was told to restart: another number makes other instances. */
  restarts: number;
  /** Of the Compose file, or of a resource from the catalog. */
  kind: 'service' | 'resource';
}

/** `spec` with the images found for its services. */
export function pinImages(spec: ComposeSpec, images: ReadonlyMap<string, PinnedImage>): RunSpec {
  const services = Object.entries(spec.services).map(([name, service]) => {
    const pinned = images.get(name);
    if (!pinned) throw new Error(`no image was resolved for the service ${name}`);
    const { repository, digest } = pinned;
    return [
      name,
      { ...service, pinned: { repository, digest }, restarts: 0, kind: 'service' as const },
    ] as const;
  });
  return { services: Object.fromEntries(services), volumes: spec.volumes, secrets: {} };
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
export function releaseDigest(release: RunSpec): string {
  return `sha256:${createHash('sha256').update(canonicalJson(release)).digest('hex')}`;
}
