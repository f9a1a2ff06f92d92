import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { Counter, Gauge } from 'prom-client';
import { EntityManager } from 'typeorm';
import { LOGGER, Metrics, type Logger } from '@berth/runtime';

/** Where what is pulled came from: it was pushed here, it was here already, it had to be fetched, or it was here and could not be asked about. */
export type PullSource = 'hosted' | 'cache' | 'upstream' | 'stale';
export type UpstreamOutcome = 'answered' | 'absent' | 'limited' | 'refused' | 'failed';

const STORED = `
  SELECT coalesce(sum(size) FILTER (WHERE hosted), 0) AS hosted, coalesce(sum(size) FILTER (WHERE NOT hosted), 0) AS cached
  FROM (SELECT size, EXISTS (SELECT FROM blob_links l JOIN repositories r ON r.name = l.repository
                             WHERE l.digest = b.digest AND r.team IS NOT NULL) AS hosted
        FROM blobs b WHERE EXISTS (SELECT FROM blob_links l WHERE l.digest = b.digest)) blobs`;

/** What the registry gives out and stores. The hit rate is `cache` and `stale` beside `upstream`. */
@Injectable()
export class RegistryMetrics {
  readonly manifests: Counter<'from'>;
  readonly blobs: Counter<'from'>;
  readonly upstream: Counter<'upstream' | 'outcome'>;
  readonly rate: Gauge<'upstream'>;

  constructor(
    metrics: Metrics,
    @InjectEntityManager() database: EntityManager,
    @Inject(LOGGER) logger: Logger,
  ) {
    const registers = [metrics.registry];
    this.manifests = new Counter({
      name: 'berth_registry_manifest_pulls_total',
      help: 'Manifests given out, by where they came from: hosted, cache, upstream, stale',
      labelNames: ['from'],
      registers,
    });
    this.blobs = new Counter({
      name: 'berth_registry_blob_pulls_total',
      help: 'Blobs given out, by where they came from: hosted, cache, upstream',
      labelNames: ['from'],
      registers,
    });
    this.upstream = new Counter({
      name: 'berth_registry_upstream_requests_total',
      help: 'Questions to upstreams, by what came of them: answered, absent, limited, refused, failed',
      labelNames: ['upstream', 'outcome'],
      registers,
    });
    this.rate = new Gauge({
      name: 'berth_registry_upstream_rate_remaining',
      help: 'Requests that an upstream said are left of its limit',
      labelNames: ['upstream'],
      registers,
    });
    const stored: Gauge<'kind'> = new Gauge({
      name: 'berth_registry_stored_bytes',
      help: 'Bytes of blobs that repositories of teams hold (hosted), and that only those of upstreams do (cached)',
      labelNames: ['kind'],
      registers,
      async collect() {
        try {
          const [bytes] = await database.query<[{ hosted: string; cached: string }]>(STORED);
          stored.set({ kind: 'hosted' }, Number(bytes.hosted));
          stored.set({ kind: 'cached' }, Number(bytes.cached));
        } catch (error) {
          // The others are told all the same.
          stored.reset();
          logger.debug({ err: error }, 'metrics.storage-unknown');
        }
      },
    });
  }
}
