import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ObjectStorage } from './object-storage.js';
import { bytesOf, type Segment, SegmentReader } from './segments.js';

/** No part of a multipart upload but the last may have less, and a part of an object is copied only from one that has more (S3). */
export const LEAST_PART_BYTES = 5 * 1024 * 1024;
export const MOST_PARTS = 10_000;
const AT_ONCE = 4;

/** What becomes a part: one segment, or several small ones. */
export type Part = readonly Segment[];

/**
 * Makes one object of segments, inside of the storage as far as it goes: what is too small to be copied as a part passes through here.
 * Nothing stays of what fails, unless this process ends meanwhile: see `abandonJoins`.
 */
export async function joinObjects(
  storage: ObjectStorage,
  key: string,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<void> {
  const begin = new CreateMultipartUploadCommand({
    ...storage.at(key),
    ContentType: 'application/octet-stream',
  });
  const { UploadId } = await storage.ask((client) => client.send(begin));
  const upload = { ...storage.at(key), UploadId };
  try {
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let at = 0; at < parts.length; at += AT_ONCE) {
      signal.throwIfAborted();
      const some = parts.slice(at, at + AT_ONCE).map(async (part, index) => {
        const PartNumber = at + index + 1;
        return { PartNumber, ETag: await addPart(storage, { ...upload, PartNumber }, part) };
      });
      // None may arrive after the upload was given up.
      await Promise.allSettled(some);
      Parts.push(...(await Promise.all(some)));
    }
    const end = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    await storage.ask((client) => client.send(end));
  } catch (error) {
    await storage.find((client) => client.send(new AbortMultipartUploadCommand(upload)));
    throw error;
  }
}

/** Ends what an instance began that was killed. */
export async function abandonJoins(storage: ObjectStorage, below: string): Promise<void> {
  const { Bucket, Key: Prefix } = storage.at(below);
  const { Uploads = [] } = await storage.ask((client) =>
    client.send(new ListMultipartUploadsCommand({ Bucket, Prefix })),
  );
  for (const { Key, UploadId } of Uploads)
    await storage.find((client) => client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })));
}

/** As few as may be, each large enough. */
export function partsOf(segments: readonly Segment[]): Part[] {
  const parts: Segment[][] = [];
  let open: Segment[] = [];
  for (const segment of segments) {
    open.push(segment);
    if (bytesOf(open) <= LEAST_PART_BYTES) continue;
    parts.push(open);
    open = [];
  }
  return open.length === 0 ? parts : [...parts, open];
}

async function addPart(
  storage: ObjectStorage,
  to: { Bucket: string; Key: string; UploadId: string | undefined; PartNumber: number },
  part: Part,
): Promise<string | undefined> {
  const [{ key, size }] = part;
  if (part.length === 1 && size > LEAST_PART_BYTES) {
    const from = { CopySource: storage.sourceOf(key), CopySourceRange: `bytes=0-${size - 1}` };
    const { CopyPartResult } = await storage.ask((client) =>
      client.send(new UploadPartCopyCommand({ ...to, ...from })),
    );
    return CopyPartResult?.ETag;
  }
  const Body = Buffer.alloc(bytesOf(part));
  const reader = new SegmentReader(storage, part);
  try {
    if ((await reader.read(Body, 0)) !== Body.length) throw new Error(`${key} is shorter than it was`);
  } finally {
    reader.close();
  }
  const { ETag } = await storage.ask((client) => client.send(new UploadPartCommand({ ...to, Body })));
  return ETag;
}
