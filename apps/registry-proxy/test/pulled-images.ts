import { randomBytes } from 'node:crypto';
import { buildTestImage, type TestImage } from '@berth/testing';

/** An image in the upstream that nobody has pulled yet; its one layer has about `size` bytes. */
export function newImage(size = 1_000): Promise<TestImage> {
  const name = `pulled-${randomBytes(6).toString('hex')}`;
  return buildTestImage({ name, busybox: false, files: { '/content': { content: randomBytes(size) } } });
}

export function manifestPath(image: TestImage, reference = image.tag): string {
  return `/v2/docker.io/${image.repository}/manifests/${reference}`;
}

export function blobPath(image: TestImage): string {
  return `/v2/docker.io/${image.repository}/blobs/${image.layers[0]!.digest}`;
}
