export { readCompose, MAX_COMPOSE_BYTES, type ComposeFile } from './read-compose.js';
export {
  pinImages,
  releaseDigest,
  canonicalJson,
  type PinnedImage,
  type RunService,
  type RunSpec,
} from './release.js';
export { startOrder } from './start-order.js';
export type * from './spec.js';
