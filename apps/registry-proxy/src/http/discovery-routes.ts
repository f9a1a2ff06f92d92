import { Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions } from '@berth/contracts';
import { ImageCatalog } from '../catalog/image-catalog.js';
import { Referrers } from '../discovery/referrers.js';
import type { Exchange } from './exchange.js';
import { listIntent } from './image-intent.js';
import { OciError } from './oci-error.js';
import { requireDigest } from './require-reference.js';
import { requireRepository } from './require-repository.js';
import type { Route, Target } from './route.js';
import { OCI_INDEX } from '../pull/media-types.js';

const MOST_TAGS = 1_000;
const MOST_REFERRERS = 1_000;

/** The routes that tell what there is (OCI distribution spec 1.1, "Content Discovery"). */
@Injectable()
export class DiscoveryRoutes {
  readonly routes: readonly Route[] = [
    {
      id: '/v2/<name>/tags/list',
      methods: ['GET', 'HEAD'],
      pattern: /^\/v2\/(.+)\/tags\/list$/,
      performs: actions.imageList,
      handle: (exchange, target) => this.tags(exchange, target),
    },
    {
      id: '/v2/<name>/referrers/<digest>',
      methods: ['GET', 'HEAD'],
      pattern: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
      performs: actions.imageList,
      handle: (exchange, target) => this.referrersOf(exchange, target),
    },
  ];

  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly catalog: ImageCatalog,
    private readonly referrers: Referrers,
  ) {}

  private async tags(exchange: Exchange, { name }: Target): Promise<void> {
    const asked = exchange.query('n');
    // Compared as text first: a number with a thousand digits must not become memory (CVE-2023-2253).
    if (asked !== null && !/^\d{1,9}$/.test(asked)) {
      throw new OciError('UNSUPPORTED', 'n is the number of tags to list: 0 or more', { status: 400 });
    }
    const limit = Math.min(asked === null ? MOST_TAGS : Number(asked), MOST_TAGS);
    const tags = await this.pipeline.read(listIntent(name), async () => {
      await requireRepository(this.catalog, name.name);
      return limit === 0 ? [] : this.catalog.listTags(name.name, exchange.query('last'), limit + 1);
    });
    const page = tags.slice(0, limit);
    const last = page.at(-1);
    const more = tags.length > limit && last !== undefined;
    exchange.answer(
      200,
      {
        'content-type': 'application/json',
        ...(more ? { link: nextPage(`/v2/${name.name}/tags/list`, { n: String(limit), last }) } : {}),
      },
      JSON.stringify({ name: name.name, tags: page }),
    );
  }

  /** Always an index, also about what is not here (yet): its referrers may come first. */
  private async referrersOf(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const subject = requireDigest(reference);
    const artifactType = exchange.query('artifactType') || null;
    const found = await this.pipeline.read(listIntent(name), () =>
      this.referrers.of(name, { subject, artifactType, last: exchange.query('last') }, MOST_REFERRERS + 1),
    );
    const manifests = found.slice(0, MOST_REFERRERS);
    const last = manifests.at(-1)?.digest;
    const more = found.length > MOST_REFERRERS && last !== undefined;
    const next = { ...(artifactType === null ? {} : { artifactType }), last: last ?? '' };
    exchange.answer(
      200,
      {
        'content-type': OCI_INDEX,
        ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
        ...(more ? { link: nextPage(`/v2/${name.name}/referrers/${subject}`, next) } : {}),
      },
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    );
  }
}

/** RFC 8288. */
function nextPage(path: string, parameters: Record<string, string>): string {
  return `<${path}?${new URLSearchParams(parameters)}>; rel="next"`;
}
