import { Injectable } from '@nestjs/common';
import { ActionPipeline, type Grant } from '@berth/actions';
import { actions, BerthError, imagePushed } from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { FoundImages } from '../facts/found-images.js';
import type { HostedName, RepositoryName } from '../names/repository-name.js';
import { isTag } from '../names/tag.js';
import { MANIFEST_LIMIT } from '../pull/media-types.js';
import { ManifestPushes } from '../push/manifest-pushes.js';
import { readBody } from '../upstream/http-exchange.js';
import type { Exchange } from './exchange.js';
import { pushIntent } from './image-intent.js';
import { requireReference } from './require-reference.js';
import { OciError } from './oci-error.js';
import type { Route, Target } from './route.js';
import { UploadHandler } from './upload-handler.js';

const MOST_TAGS = 50;
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/;

/** The routes that change (OCI distribution spec 1.1, "Push"). What is pulled through is not pushed to. */
@Injectable()
export class PushRoutes {
  readonly routes: readonly Route[] = [
    {
      id: '/v2/<name>/blobs/uploads/',
      methods: ['POST'],
      pattern: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
      performs: actions.imagePush,
      from: (exchange) => (exchange.query('mount') === null ? null : exchange.query('from')),
      handle: (exchange, target) => this.checked(target, (name) => this.uploads.start(exchange, name)),
    },
    this.uploadRoute('GET', (exchange, name, id) => this.uploads.status(exchange, name, id)),
    this.uploadRoute('PATCH', (exchange, name, id) => this.uploads.chunk(exchange, name, id)),
    this.uploadRoute('PUT', (exchange, name, id) => this.uploads.finish(exchange, name, id)),
    this.uploadRoute('DELETE', (exchange, name, id) => this.uploads.cancel(exchange, name, id)),
    {
      id: '/v2/<name>/manifests/<reference>',
      methods: ['PUT'],
      pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
      performs: actions.imagePush,
      handle: (exchange, target) => this.manifest(exchange, target),
    },
  ];

  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly uploads: UploadHandler,
    private readonly manifests: ManifestPushes,
    private readonly catalog: ImageCatalog,
    private readonly found: FoundImages,
  ) {}

  private uploadRoute(
    method: string,
    handle: (exchange: Exchange, name: HostedName, id: string) => Promise<void>,
  ): Route {
    return {
      id: '/v2/<name>/blobs/uploads/<id>',
      methods: [method],
      pattern: UPLOAD,
      performs: actions.imagePush,
      handle: (exchange, target) => this.checked(target, (name) => handle(exchange, name, target.reference)),
    };
  }

  /** Bytes on their way are checked like the push that they belong to; its record is the manifest's, but where there is no room. */
  private async checked({ name }: Target, handle: (name: HostedName) => Promise<void>): Promise<void> {
    const hosted = requireHosted(name);
    const grant = await this.pipeline.authorize(pushIntent(hosted, ''));
    try {
      await handle(hosted);
    } catch (thrown) {
      if (thrown instanceof BerthError && thrown.code === 'QUOTA_EXCEEDED')
        await this.pipeline.recordRefusal(grant, thrown);
      throw thrown;
    }
  }

  private async manifest(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const hosted = requireHosted(name);
    const parsed = requireReference(reference, 'MANIFEST_INVALID');
    const tags = parsed.tag === undefined ? tagParameters(exchange) : [parsed.tag];
    const mediaType = (exchange.header('content-type') ?? '').split(';')[0]!.trim();
    const bytes = await this.manifestBody(exchange);
    // Each tag is a push of its own to policy, which may go by the tag.
    const grants = new Map<string, Grant>();
    for (const tag of tags.filter((tag) => tag !== reference))
      grants.set(tag, await this.pipeline.authorize(pushIntent(hosted, tag)));
    const pushed = await this.pipeline.change(pushIntent(hosted, reference), async (transaction) => {
      const manifest = this.manifests.read(parsed, mediaType, bytes);
      await this.manifests.put(hosted, tags, manifest, transaction);
      for (const [tag, grant] of grants) {
        const outcome = await this.found.stored(hosted, tag, manifest);
        await this.pipeline.judgeOrThrow(actions.imagePush, grant, outcome);
      }
      const { digest, size } = manifest;
      const told = { repository: hosted.name, digest, mediaType, size };
      return {
        result: manifest,
        outcome: await this.found.stored(hosted, reference, manifest),
        events: (tags.length > 0 ? tags : [reference]).map((name) =>
          draftEvent(imagePushed, { team: hosted.team }, { ...told, reference: name }),
        ),
      };
    });
    this.catalog.changed(hosted.name);
    exchange.answer(201, {
      location: `/v2/${hosted.name}/manifests/${pushed.digest}`,
      'docker-content-digest': pushed.digest,
      ...(pushed.content.subject === null ? {} : { 'oci-subject': pushed.content.subject }),
      ...(parsed.tag === undefined && tags.length > 0 ? { 'oci-tag': tags.join(', ') } : {}),
    });
  }

  private async manifestBody(exchange: Exchange): Promise<Buffer> {
    const told = Number(exchange.header('content-length') ?? 0);
    const bytes = told > MANIFEST_LIMIT ? null : await readBody(exchange.request, MANIFEST_LIMIT);
    if (bytes !== null) return bytes;
    throw new OciError('SIZE_INVALID', 'a manifest may have 4 MiB', { status: 413 });
  }
}

/** OCI distribution spec after 1.1, "Pushing manifests with tags". */
function tagParameters(exchange: Exchange): string[] {
  const tags = [...new Set(exchange.queries('tag'))];
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new OciError('MANIFEST_INVALID', `"${wrong.slice(0, 200)}" is not a tag`);
  if (tags.length > MOST_TAGS)
    throw new OciError('MANIFEST_INVALID', `a manifest is pushed with ${MOST_TAGS} tags at most`);
  return tags;
}

function requireHosted(name: RepositoryName): HostedName {
  if (name.kind === 'hosted') return name;
  throw new OciError(
    'UNSUPPORTED',
    `${name.name} is pulled through from ${name.upstream} and cannot be pushed to; push to <team>/<name>`,
  );
}
