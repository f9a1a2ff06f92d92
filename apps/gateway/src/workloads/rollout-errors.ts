import type { ErrorCode } from '@berth/contracts';

/** What may keep any rollout from being taken in. */
export const ROLLOUT_ERRORS: readonly ErrorCode[] = [
  'COMPOSE_INVALID',
  'COMPOSE_UNSUPPORTED',
  'CONFLICT',
  'QUOTA_EXCEEDED',
  'DEPLOYMENT_IN_PROGRESS',
  'PORT_IN_USE',
  'HOST_IN_USE',
  'RESOURCE_NOT_FOUND',
  'SECRET_NOT_FOUND',
  'QUOTA_UNAVAILABLE',
  'ENGINE_UNAVAILABLE',
];

/** What may be wrong with the images of a Compose file. */
export const IMAGE_ERRORS: readonly ErrorCode[] = [
  'DIGEST_INVALID',
  'REFERENCE_INVALID',
  'IMAGE_NOT_FOUND',
  'IMAGE_PLATFORM_MISMATCH',
  'UPSTREAM_UNKNOWN',
  'UPSTREAM_RATE_LIMITED',
  'UPSTREAM_UNAVAILABLE',
];
