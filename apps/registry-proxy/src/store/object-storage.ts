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
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
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
  /** Whether clients may be sent there: as we reach it, or under another URL. */
  redirect: boolean | string;
}

const CONNECT_MS = 3_000;
const SILENCE_MS = 30_000;
/** Each client that reads holds one, or two, for as long as it takes. */
const CONNECTIONS = 1_000;
const AGENT = { maxSockets: CONNECTIONS };

/** The few calls of the S3 API that a blob store takes, all of which servers that imitate it have. Throws SERVICE_UNAVAILABLE where none answers. */
export class ObjectStorage {
  private readonly client: S3Client;
  /** It signs what clients ask themselves; null where they are sent nowhere. */
  private readonly signer: S3Client | null;

  constructor(private readonly settings: ObjectStorageSettings) {
    const { endpoint, redirect } = settings;
    this.client = this.clientOf(endpoint);
    this.signer = redirect === false ? null : redirect === true ? this.client : this.clientOf(redirect);
  }

  get redirects(): boolean {
    return this.signer !== null;
  }

  async put(key: string, body: Buffer): Promise<void> {
    await this.ask((client) => client.send(new PutObjectCommand({ ...this.at(key), Body: body })));
  }

  /** Bytes `from` to `to`, that one too. Null where there is no such object. */
  async get(key: string, from: number, to: number): Promise<Readable | null> {
    const range = { Range: `bytes=${from}-${to}` };
    const found = await this.find((client) =>
      client.send(new GetObjectCommand({ ...this.at(key), ...range })),
    );
    return found && (found.Body as Readable);
  }

  async text(key: string): Promise<string | null> {
    const found = await this.find((client) => client.send(new GetObjectCommand(this.at(key))));
    return found === null ? null : (found.Body?.transformToString() ?? '');
  }

  /** Bytes; null where there is no such object. */
  async size(key: string): Promise<number | null> {
    const found = await this.find((client) => client.send(new HeadObjectCommand(this.at(key))));
    return found && (found.ContentLength ?? 0);
  }

  /** Nothing where there is none. */
  async remove(key: string): Promise<void> {
    await this.find((client) => client.send(new DeleteObjectCommand(this.at(key))));
  }

  /** False where there is nothing to copy. */
  async copy(from: string, to: string): Promise<boolean> {
    const copied = await this.find((client) =>
      client.send(new CopyObjectCommand({ ...this.at(to), CopySource: this.sourceOf(from) })),
    );
    return copied !== null;
  }

  /** Where anybody may read it, for so long. Throws where clients are sent nowhere. */
  async address(key: string, seconds: number): Promise<string> {
    if (this.signer === null) throw new Error('clients are not sent to the object storage');
    return getSignedUrl(this.signer, new GetObjectCommand(this.at(key)), { expiresIn: seconds });
  }

  async *list(below: string): AsyncIterable<{ key: string; modified: Date }> {
    const { bucket: Bucket, prefix } = this.settings;
    for (let ContinuationToken: string | undefined, more = true; more;) {
      const page = await this.ask((client) =>
        client.send(new ListObjectsV2Command({ Bucket, Prefix: `${prefix}${below}`, ContinuationToken })),
      );
      for (const { Key = '', LastModified = new Date() } of page.Contents ?? [])
        yield { key: Key.slice(prefix.length), modified: LastModified };
      ContinuationToken = page.NextContinuationToken;
      more = page.IsTruncated === true && ContinuationToken !== undefined;
    }
  }

  close(): void {
    this.client.destroy();
    this.signer?.destroy();
  }

  /** As what a copy is made of. */
  sourceOf(key: string): string {
    return `${this.settings.bucket}/${this.settings.prefix}${key}`;
  }

  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.settings.bucket, Key: `${this.settings.prefix}${key}` };
  }

  /** Null where what is asked for is not there. */
  async find<T>(work: (client: S3Client) => Promise<T>): Promise<T | null> {
    return this.ask(async (client) => {
      try {
        return await work(client);
      } catch (error) {
        const absent =
          error instanceof S3ServiceException &&
          ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(error.name);
        if (absent) return null;
        throw error;
      }
    });
  }

  async ask<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await work(this.client);
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

  private clientOf(endpoint: string | null): S3Client {
    const { region, accessKeyId, secretAccessKey } = this.settings;
    return new S3Client({
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
}
