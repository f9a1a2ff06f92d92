import type { Logger } from '@berth/runtime';
import type { RegistryEnv } from '../env.js';
import type { BlobStore } from './blob-store.js';
import { FileBlobStore } from './file-blob-store.js';

/** The store that the environment names. */
export async function openStore(env: RegistryEnv, logger: Logger): Promise<BlobStore> {
  const { REGISTRY_STORE: store } = env;
  if (!store.startsWith('s3://')) return FileBlobStore.open(store);
  // Only where it is used: its client takes memory.
  const { ObjectBlobStore } = await import('./object-blob-store.js');
  const { host: bucket, pathname } = new URL(store);
  const prefix = pathname.replace(/^\/|\/$/g, '');
  const settings = {
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint: env.REGISTRY_S3_ENDPOINT ?? null,
    region: env.REGISTRY_S3_REGION,
    accessKeyId: env.REGISTRY_S3_ACCESS_KEY_ID,
    secretAccessKey: env.REGISTRY_S3_SECRET_ACCESS_KEY,
    redirect: env.REGISTRY_S3_REDIRECT,
  };
  return new ObjectBlobStore(settings, env.DATABASE_URL, logger);
}
