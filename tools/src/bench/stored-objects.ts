import { createHash, createHmac } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ObjectStorageAddress } from '@berth/testing';

const EXPIRES_S = 3_600;

/** Puts one object, as a whole. Answers a URL that it can be had at without credentials for an hour: where a redirect would lead. */
export async function putObject(
  storage: ObjectStorageAddress,
  bucket: string,
  key: string,
  content: Buffer,
): Promise<string> {
  const { endpoint, region, accessKeyId, secretAccessKey } = storage;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
  client.destroy();
  return presigned(storage, `/${bucket}/${key}`);
}

/** AWS Signature Version 4 in the query (docs.aws.amazon.com/AmazonS3, "Authenticating Requests: Using Query Parameters"). */
function presigned(
  { endpoint, region, accessKeyId, secretAccessKey }: ObjectStorageAddress,
  path: string,
): string {
  const { host } = new URL(endpoint);
  const time = new Date().toISOString().replace(/[:-]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const query = new URLSearchParams([
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(EXPIRES_S)],
    ['X-Amz-SignedHeaders', 'host'],
  ]);
  const request = ['GET', path, query.toString(), `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const hashed = createHash('sha256').update(request).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hashed].join('\n');
  const key = scope
    .split('/')
    .reduce(
      (secret: Buffer, part) => createHmac('sha256', secret).update(part).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  query.set('X-Amz-Signature', createHmac('sha256', key).update(toSign).digest('hex'));
  return `${endpoint}${path}?${query}`;
}
