import { Injectable } from '@nestjs/common';
import { ActionPipeline, requireActor } from '@berth/actions';
import { actions, BerthError } from '@berth/contracts';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { isDigestAlgorithm, type Digest } from '../names/digest.js';
import { isNameProblem, type HostedName, type RepositoryName } from '../names/repository-name.js';
import { Uploads, type Chunk, type UploadProblem, type UploadState } from '../push/uploads.js';
import type { Exchange } from './exchange.js';
import { pullIntent } from './image-intent.js';
import { NameReader } from './name-reader.js';
import { OciError } from './oci-error.js';
import { requireDigest } from './require-reference.js';
import { parseChunkRange } from './range.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** An upload whose client sends nothing for so long is ended; what arrived is kept. */
const IDLE_MS = 60_000;

/** Blob uploads over HTTP: one whole, in chunks, or mounted from another repository. The caller has asked policy. */
@Injectable()
export class UploadHandler {
  constructor(
    private readonly uploads: Uploads,
    private readonly catalog: ImageCatalog,
    private readonly names: NameReader,
    private readonly pipeline: ActionPipeline,
  ) {}

  async start(exchange: Exchange, name: HostedName): Promise<void> {
    const mount = digestIn(exchange, 'mount');
    if (mount !== null && (await this.mount(exchange, name, mount))) {
      this.created(exchange, name, mount);
      return;
    }
    const digest = digestIn(exchange, 'digest');
    const algorithm = exchange.query('digest-algorithm');
    if (algorithm !== null && !isDigestAlgorithm(algorithm))
      throw new OciError('DIGEST_INVALID', `"${algorithm.slice(0, 50)}" is neither sha256 nor sha512`);
    const upload = await this.uploads.start(name);
    if (digest === null) this.progress(exchange, 202, name, upload);
    else await this.complete(exchange, name, upload.id, digest);
  }

  async status(exchange: Exchange, name: HostedName, id: string): Promise<void> {
    const upload = UUID.test(id) ? await this.uploads.find(name, id) : null;
    if (upload === null) throw unknownUpload(id);
    this.progress(exchange, 204, name, upload);
  }

  async chunk(exchange: Exchange, name: HostedName, id: string): Promise<void> {
    if (!UUID.test(id)) throw unknownUpload(id);
    limitIdleness(exchange);
    const result = await this.uploads.append(name, id, chunkOf(exchange));
    if ('problem' in result) throw problemError(result, name, id);
    this.progress(exchange, 202, name, result);
  }

  async finish(exchange: Exchange, name: HostedName, id: string): Promise<void> {
    const digest = digestIn(exchange, 'digest');
    if (digest === null)
      throw new OciError('DIGEST_INVALID', 'the upload is finished with ?digest=<algorithm>:…');
    if (!UUID.test(id)) throw unknownUpload(id);
    await this.complete(exchange, name, id, digest);
  }

  async cancel(exchange: Exchange, name: HostedName, id: string): Promise<void> {
    const problem = UUID.test(id) ? await this.uploads.cancel(name, id) : { problem: 'unknown' as const };
    if (problem !== null) throw problemError(problem, name, id);
    exchange.begin(204, {});
    exchange.response.end();
  }

  private async complete(exchange: Exchange, name: HostedName, id: string, digest: Digest): Promise<void> {
    limitIdleness(exchange);
    const result = await this.uploads.finish(name, id, chunkOf(exchange), digest);
    if ('problem' in result) throw problemError(result, name, id);
    this.created(exchange, name, digest);
  }

  /** Links a blob that the client may pull from another repository; whatever speaks against it means: upload it. */
  private async mount(exchange: Exchange, name: HostedName, digest: Digest): Promise<boolean> {
    for (const source of await this.mountSources(digest, exchange.query('from'))) {
      if (exchange.access?.allows(source.name, actions.imagePull) === false) continue;
      if (!(await this.mayPull(source, digest))) continue;
      // Only what is here: a mount is no reason to ask an upstream.
      if (!(await this.catalog.isLinked(source.name, digest))) continue;
      if (await this.uploads.mount(name, digest)) return true;
    }
    return false;
  }

  /** Where none is named, those of the client's own teams (OCI distribution spec 1.1, "Mounting a blob"). */
  private async mountSources(digest: Digest, from: string | null): Promise<RepositoryName[]> {
    if (from !== null) {
      const source = this.names.read(from);
      return isNameProblem(source) ? [] : [source];
    }
    const { admin, teams } = requireActor();
    return this.catalog.holders(digest, admin ? null : teams.map(({ team }) => team));
  }

  private async mayPull(source: RepositoryName, digest: Digest): Promise<boolean> {
    try {
      await this.pipeline.authorize(pullIntent(source, digest));
      return true;
    } catch (error) {
      if (error instanceof BerthError && error.status < 500) return false;
      throw error;
    }
  }

  private created(exchange: Exchange, name: HostedName, digest: Digest): void {
    exchange.answer(201, { location: `/v2/${name.name}/blobs/${digest}`, 'docker-content-digest': digest });
  }

  private progress(exchange: Exchange, status: number, name: HostedName, upload: UploadState): void {
    exchange.begin(status, {
      ...uploadHeaders(name, upload.id, upload.size),
      ...(status === 204 ? {} : { 'content-length': 0 }),
    });
    exchange.response.end();
  }
}

function digestIn(exchange: Exchange, parameter: 'digest' | 'mount'): Digest | null {
  const text = exchange.query(parameter);
  return text === null ? null : requireDigest(text);
}

/** distribution's form of an empty upload's range, which clients know: `0-0`. */
function uploadHeaders(name: HostedName, id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${name.name}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
  };
}

function chunkOf(exchange: Exchange): Chunk {
  const length = exchange.header('content-length');
  return {
    from: startOfChunk(exchange),
    length: length === undefined ? null : Number(length),
    body: exchange.request,
  };
}

function startOfChunk(exchange: Exchange): number | null {
  const header = exchange.header('content-range');
  if (header === undefined) return null;
  const range = parseChunkRange(header);
  if (range === null) throw new OciError('BLOB_UPLOAD_INVALID', 'Content-Range is <first>-<last>, in bytes');
  const length = exchange.header('content-length');
  if (length !== undefined && Number(length) !== range.end - range.start + 1) {
    throw new OciError(
      'SIZE_INVALID',
      `Content-Range tells of ${range.end - range.start + 1} bytes, and ${length} are sent`,
    );
  }
  return range.start;
}

function limitIdleness({ request }: Exchange): void {
  request.setTimeout(IDLE_MS, () => request.destroy(new Error('the client sends nothing')));
  // From here on it is the client who waits, for the disk.
  request.once('end', () => request.setTimeout(0));
}

function unknownUpload(id: string): OciError {
  return new OciError('BLOB_UPLOAD_UNKNOWN', `there is no upload ${id.slice(0, 100)}; start again`);
}

function problemError(problem: UploadProblem, name: HostedName, id: string): OciError {
  switch (problem.problem) {
    case 'unknown':
      return unknownUpload(id);
    case 'busy':
      return new OciError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', {
        status: 409,
      });
    case 'out-of-order':
      return new OciError('BLOB_UPLOAD_INVALID', `the next chunk begins at byte ${problem.size}`, {
        status: 416,
        headers: uploadHeaders(name, id, problem.size),
      });
    case 'digest-mismatch':
      return new OciError('DIGEST_INVALID', `what was sent has the digest ${problem.actual}`);
  }
}
