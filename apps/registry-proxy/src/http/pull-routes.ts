import { Injectable } from '@nestjs/common';
import { actions } from '@berth/contracts';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { FoundImages } from '../facts/found-images.js';
import type { Digest } from '../names/digest.js';
import type { RepositoryName } from '../names/repository-name.js';
import type { ManifestReference } from '../names/tag.js';
import { Leaves } from '../leave/leaves.js';
import { BlobPulls, type BlobSource } from '../pull/blob-pulls.js';
import { ManifestPulls } from '../pull/manifest-pulls.js';
import type { Exchange } from './exchange.js';
import { pullIntent } from './image-intent.js';
import { requireDigest, requireReference } from './require-reference.js';
import { manifestUnknown, OciError } from './oci-error.js';
import { parseRange } from './range.js';
import { requireRepository } from './require-repository.js';
import type { Route, Target } from './route.js';
import { sendBlob } from './send-blob.js';

const BLOB_TYPE = 'application/octet-stream';

/** The routes that give out images (OCI distribution spec 1.1, "Pull"). */
@Injectable()
export class PullRoutes {
  readonly routes: readonly Route[] = [
    {
      id: '/v2/<name>/manifests/<reference>',
      methods: ['GET', 'HEAD'],
      pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
      performs: actions.imagePull,
      handle: (exchange, target) => this.manifest(exchange, target),
    },
    {
      id: '/v2/<name>/blobs/<digest>',
      methods: ['GET', 'HEAD'],
      pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
      performs: actions.imagePull,
      handle: (exchange, target) => this.blob(exchange, target),
    },
  ];

  constructor(
    private readonly leaves: Leaves,
    private readonly manifests: ManifestPulls,
    private readonly blobs: BlobPulls,
    private readonly catalog: ImageCatalog,
    private readonly found: FoundImages,
  ) {}

  private async manifest(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const parsed = requireReference(reference, 'MANIFEST_UNKNOWN');
    const found = await this.leaves.reveal(pullIntent(name, reference), async () => {
      const result = await this.findManifest(name, parsed);
      const outcome = () => this.found.pulled(name, reference, result);
      return { result, outcome, digest: result.digest };
    });
    exchange.answer(
      200,
      {
        'content-type': found.mediaType,
        'docker-content-digest': found.digest,
        etag: `"${found.digest}"`,
        ...(found.stale === null ? {} : { warning: `299 - "${headerText(found.stale)}"` }),
      },
      found.bytes,
    );
  }

  private async findManifest(name: RepositoryName, reference: ManifestReference) {
    const found = await this.manifests.find(name, reference);
    if (found !== null) return found;
    if (name.kind === 'hosted') await requireRepository(this.catalog, name.name);
    throw manifestUnknown(name.name, reference.tag ?? reference.digest);
  }

  /** Each blob is checked like its manifest, and not recorded once more: the record of a pull is the manifest's. */
  private async blob(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const digest = requireDigest(reference);
    await this.leaves.require(pullIntent(name, reference));
    if (exchange.isHead) {
      await this.headBlob(exchange, name, digest);
      return;
    }
    const source = await this.blobs.give(name, digest);
    if (source === null) throw await this.unknownBlob(name, digest);
    try {
      await this.giveBlob(exchange, source, digest);
    } finally {
      await (source.kind === 'stored' ? source.blob.close() : source.fetch.leave());
    }
  }

  private async giveBlob(exchange: Exchange, source: BlobSource, digest: Digest): Promise<void> {
    const size = source.kind === 'stored' ? source.blob.size : await source.fetch.size();
    const range = parseRange(exchange.header('range'), size);
    if (range === 'unsatisfiable') {
      throw new OciError('SIZE_INVALID', `the blob has ${size} bytes`, {
        status: 416,
        headers: { 'content-range': `bytes */${size}` },
      });
    }
    const address = source.kind === 'stored' ? await source.blob.address() : null;
    if (address !== null) {
      exchange.answer(307, {
        'docker-content-digest': digest,
        'cache-control': 'no-store',
        location: address,
      });
      return;
    }
    const part = range === 'whole' ? { start: 0, end: size - 1 } : range;
    await sendBlob(exchange.response, source, part, () =>
      exchange.begin(range === 'whole' ? 200 : 206, {
        ...blobHeaders(digest, part.end - part.start + 1),
        ...(range === 'whole' ? {} : { 'content-range': `bytes ${part.start}-${part.end}/${size}` }),
      }),
    );
  }

  private async headBlob(exchange: Exchange, name: RepositoryName, digest: Digest): Promise<void> {
    // A client that is about to push asks so what it need not send.
    if (name.kind === 'hosted' && !(await this.catalog.renewLease(name.name, digest)))
      throw await this.unknownBlob(name, digest);
    const size = await this.blobs.size(name, digest);
    if (size === null) throw await this.unknownBlob(name, digest);
    exchange.begin(200, blobHeaders(digest, size));
    exchange.response.end();
  }

  private async unknownBlob(name: RepositoryName, digest: Digest): Promise<OciError> {
    if (name.kind === 'hosted') await requireRepository(this.catalog, name.name);
    return new OciError('BLOB_UNKNOWN', `${name.name} has no blob ${digest}`, { detail: { digest } });
  }
}

function blobHeaders(digest: Digest, length: number | undefined): Record<string, string | number> {
  return {
    'content-type': BLOB_TYPE,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    ...(length === undefined ? {} : { 'content-length': length }),
  };
}

/** Text that may stand between the quotes of a header. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 300);
}
