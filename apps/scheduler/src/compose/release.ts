import { createHash } from 'node:crypto';
import { parseYaml } from './parse-yaml.js';
import { Problems } from './problems.js';
import { readCompose } from './read-compose.js';
import type { ComposeSpec, ServiceSpec } from './spec.js';
import type { Variables } from './interpolate.js';
import type { ComposeNode } from './tree.js';

/** Where an image is pulled from: `<registry>/<repository>@<digest>`. */
export interface PinnedImage {
  repository: string;
  digest: string;
}

/** An image of a release: what the file called it, and what that was when the release was made. */
export interface ReleasedImage extends PinnedImage {
  reference: string;
  /** As its config says (OCI image spec, config.md): the user it runs as, and whether it checks its own health. */
  user: string;
  hasHealthcheck: boolean;
}

/**
 * What a deploy makes, and what environments share: the Compose file with its variables left open, and every image
 * pinned. Immutable; named by its digest.
 */
export interface ReleaseSpec {
  compose: string;
  /** By service. */
  images: Record<string, ReleasedImage>;
}

/** What is to run in one environment: every variable put in, every image pinned, every secret named with its version. */
export interface RunSpec {
  services: Record<string, RunService>;
  volumes: ComposeSpec['volumes'];
  /** Versions of the secrets that services are given, by name. */
  secrets: Record<string, number>;
  /** Backing services of the environment, by name. */
  resources?: Record<string, RunResource>;
}

/** What is told of a backing service: nothing that must not be known. */
export interface RunResource {
  kind: string;
  port: number | null;
}

export interface RunService extends ServiceSpec {
  pinned: PinnedImage;
  /** How often it was told to restart: another number makes other instances. */
  restarts: number;
}

/** What an environment says of one of its services, in place of what the file says. Units as in `ServiceSpec`. */
export interface ServiceOverride {
  replicas?: number;
  nanoCpus?: number;
  memoryBytes?: number;
}

/** All that an environment adds to a release. */
export interface RunSettings {
  variables: Variables;
  /** By service. */
  overrides: Readonly<Record<string, ServiceOverride>>;
  restarts: Readonly<Record<string, number>>;
}

/** `spec` with the images found for its services. */
export function pinImages(spec: ComposeSpec, images: ReadonlyMap<string, PinnedImage>): RunSpec {
  const services = Object.entries(spec.services).map(([name, service]) => {
    const pinned = images.get(name);
    if (!pinned) throw new Error(`no image was resolved for the service ${name}`);
    const { repository, digest } = pinned;
    return [name, { ...service, pinned: { repository, digest }, restarts: 0 }] as const;
  });
  return { services: Object.fromEntries(services), volumes: spec.volumes, secrets: {} };
}

/** A release as one environment runs it. Throws as `readCompose` does: a variable may make nonsense of the file. */
export function render(
  { compose, images }: ReleaseSpec,
  { variables, overrides, restarts }: RunSettings,
): { spec: RunSpec; warnings: string[] } {
  const written = Object.fromEntries(
    Object.entries(images).map(([name, { reference }]) => [name, reference] as const),
  );
  const { spec, warnings } = readCompose(compose, variables, written);
  const run = pinImages(spec, new Map(Object.entries(images)));
  for (const [name, service] of Object.entries(run.services)) {
    const { replicas, nanoCpus, memoryBytes } = own(overrides, name) ?? {};
    service.replicas = replicas ?? service.replicas;
    service.limits = {
      ...service.limits,
      ...(nanoCpus === undefined ? {} : { nanoCpus }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    };
    service.restarts = own(restarts, name) ?? 0;
  }
  return { spec: run, warnings };
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
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

/**
 * `sha256:…` of a release: of the file with anchors and merges resolved and its keys in order, whatever its layout and
 * comments, and of the digests of its images. Variables stay as they are written: no environment is part of the name.
 */
export function releaseDigest({ compose, images }: ReleaseSpec): string {
  const { root } = parseYaml(compose, null, new Problems());
  const file = root?.kind === 'map' ? (plain(root) as Record<string, unknown>) : {};
  // They say nothing of what runs.
  const { name: _name, version: _version, ...said } = file;
  const pinned = Object.fromEntries(
    Object.entries(images).map(([service, { repository, digest }]) => [service, { repository, digest }]),
  );
  return `sha256:${createHash('sha256')
    .update(canonicalJson({ file: said, images: pinned }))
    .digest('hex')}`;
}

function plain(node: ComposeNode): unknown {
  if (node.kind === 'list') return node.items.map(plain);
  if (node.kind === 'scalar') return node.type === 'null' ? null : node.text;
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}
