export { readCompose, MAX_COMPOSE_BYTES, type ComposeFile } from './read-compose.js';
export { EMPTY_RELEASE, pinImages, releaseDigest, render, canonicalJson } from './release.js';
export type {
  PinnedImage,
  ReleasedImage,
  ReleaseSpec,
  RunResource,
  RunService,
  RunSettings,
  RunSpec,
  ServiceOverride,
} from './release.js';
export type { Backing } from './backings.js';
export { couldBeReference } from './read-service.js';
export { interpolate } from './interpolate.js';
export { startOrder } from './start-order.js';
export type * from './spec.js';
