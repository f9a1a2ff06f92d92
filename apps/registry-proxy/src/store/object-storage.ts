import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { BerthError } from '@berth/contracts';

/** Where objects are kept, by the S3 API. */
export interface ObjectStorageSettings {
  /** Null: AWS itself. */
  endpoint: string | null;
  region: string;
  bucket: string;
  /** Before every key; empty, or with a slash at its end. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const CONNECT_MS = 3_000;
const SILENCE_MS = 30_000;
/** Each client that reads holds one, or two, for as long as it takes. */
const CONNECTIONS = 1_000;
const AGENT = { maxSockets: CONNECTIONS };

/** The few calls of the S3 API that a blob store takes, all of which servers that imitate it have. Throws SERVICE_UNAVAILABLE where none answers. */
export class ObjectStorage {
  private readonly client: S3Client;

  constructor(private readonly settings: ObjectStorageSettings) {
    const { endpoint, region, accessKeyId, secretAccessKey } = settings;
    this.client = new S3Client({
      region,
      credentials: { accessKeyId, secretAccessKey },
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      // Servers other than AWS know no other checksum than the signature's.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        ...{ connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
        ...{ httpAgent: AGENT, httpsAgent: AGENT },
      },
    });
  }

  async put(key: string, body: Buffer): Promise<void> {
    await this.ask(() => this.client.send(new PutObjectCommand({ ...this.at(key), Body: body })));
  }

  /** Bytes `from` to `to`, that one too. Null where there is no such object. */
  async get(key: string, from: number, to: number): Promise<Readable | null> {
    const range = { Range: `bytes=${from}-${to}` };
    const found = await this.find(() =>
      this.client.send(new GetObjectCommand({ ...this.at(key), ...range })),
    );
    return found && (found.Body as Readable);
  }

  async text(key: string): Promise<string | null> {
    const found = await this.find(() => this.client.send(new GetObjectCommand(this.at(key))));
    return found === null ? null : (found.Body?.transformToString() ?? '');
  }

  /** Bytes; null where there is no such object. */
  async size(key: string): Promise<number | null> {
    const found = await this.find(() => this.client.send(new HeadObjectCommand(this.at(key))));
    return found && (found.ContentLength ?? 0);
  }

  /** Nothing where there is none. */
  async remove(key: string): Promise<void> {
    await this.find(() => this.client.send(new DeleteObjectCommand(this.at(key))));
  }

  /** False where there is nothing to copy. */
  async copy(from: string, to: string): Promise<boolean> {
    const { bucket, prefix } = this.settings;
    const CopySource = `${bucket}/${prefix}${from}`;
    const copied = await this.find(() =>
      this.client.send(new CopyObjectCommand({ ...this.at(to), CopySource })),
    );
    return copied !== null;
  }

  async *list(below: string): AsyncIterable<{ key: string; modified: Date }> {
    const { bucket: Bucket, prefix } = this.settings;
    for (let ContinuationToken: string | undefined, more = true; more;) {
      const page = await this.ask(() =>
        this.client.send(
          new ListObjectsV2Command({ Bucket, Prefix: `${prefix}${below}`, ContinuationToken }),
        ),
      );
      for (const { Key = '', LastModified = new Date() } of page.Contents ?? [])
        yield { key: Key.slice(prefix.length), modified: LastModified };
      ContinuationToken = page.NextContinuationToken;
      more = page.IsTruncated === true && ContinuationToken !== undefined;
    }
  }

  close(): void {
    this.client.destroy();
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.settings.bucket, Key: `${this.settings.prefix}${key}` };
  }

  private async find<T>(work: () => Promise<T>): Promise<T | null> {
    return this.ask(async () => {
      try {
        return await work();
      } catch (error) {
        const absent = error instanceof S3ServiceException && ['NoSuchKey', 'NotFound'].includes(error.name);
        if (absent) return null;
        throw error;
      }
    });
  }

  private async ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchBucket')
        throw new Error(`the object storage has no bucket "${this.settings.bucket}"`, { cause: error });
      throw new BerthError(
        'SERVICE_UNAVAILABLE',
        'The object storage does not do what was asked of it. Try again.',
        {},
        { cause: error },
      );
    }
  }
}
