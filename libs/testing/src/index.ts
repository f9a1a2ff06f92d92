export { freePort } from '@berth/host';
export { applyIsolation, docker, removeIsolation, removeWorkloads } from '@berth/host';
export { ApiClient, type ApiAnswer } from './api-client.js';
export { createTestDatabase, type TestDatabase } from './database.js';
export { joinNodes, startNodes, type TestNode, type TestNodes } from './engines.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { makeLayer, sha256, type ImageFile, type Layer } from './image-layers.js';
export { Load, type LoadReport } from './load.js';
export {
  buildTestImage,
  makeImage,
  pushImage,
  type PushTarget,
  type TestImage,
  type TestImageOptions,
} from './image.js';
export { nodeImage } from './node-image.js';
export { startTestNats, testNats, type NatsAccess, type TestNats } from './nats.js';
export {
  testEngine,
  testIngressImage,
  testPostgres,
  upstreamRegistry,
  type UpstreamAddress,
} from './parts.js';
export { startTestPostgres, type TestPostgres } from './postgres.js';
export {
  newPlatformFolder,
  startPlatform,
  type PlatformOptions,
  type PlatformService,
  type TestPlatform,
} from './platform.js';
export { startTestService, type TestService } from './service.js';
export { endRun, RUN_LABEL, startRun, testInstallation } from './run.js';
export { buildResourceImage, type PulledImage, type ResourceImage } from './resource-images.js';
export { makeBucket, objectStorage, type ObjectStorageAddress } from './object-storage.js';
