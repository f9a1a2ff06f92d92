import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { Counter, Gauge } from 'prom-client';
import { EntityManager } from 'typeorm';
import { LOGGER, Metrics, type Logger } from '@berth/runtime';
import { PullCounts, type PulledKind, type PullSource } from './usage/pull-counts.js';
import { storedBytes } from './usage/stored-bytes.js';

export type UpstreamOutcome = 'answered' | 'absent' | 'limited' | 'refused' | 'failed';

/** What the registry gives out and stores. The hit rate is `cache` and `stale` beside `upstream`. */
@Injectable()
export class RegistryMetrics {
  private readonly pulls: Record<PulledKind, Counter<'from'>>;
  readonly upstream: Counter<'upstream' | 'outcome'>;
  readonly rate: Gauge<'upstream'>;

  constructor(
    metrics: Metrics,
    @InjectEntityManager() database: EntityManager,
    @Inject(LOGGER) logger: Logger,
    private readonly counts: PullCounts,
  ) {
    const registers = [metrics.registry];
    const manifests = new Counter({
      name: 'berth_registry_manifest_pulls_total',
      help: 'Manifests given out, by where they came from: hosted, cache, upstream, stale',
      labelNames: ['from'],
      registers,
    });
    const blobs = new Counter({
      name: 'berth_registry_blob_pulls_total',
      help: 'Blobs given out, by where they came from: hosted, cache, upstream',
      labelNames: ['from'],
      registers,
    });
    this.pulls = { manifests, blobs };
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
          const { hosted, cached } = await storedBytes(database);
          stored.set({ kind: 'hosted' }, hosted);
          stored.set({ kind: 'cached' }, cached);
        } catch (error) {
          // The others are told all the same.
          stored.reset();
          logger.debug({ err: error }, 'metrics.storage-unknown');
        }
      },
    });
  }

  /** Something was given out. */
  pulled(kind: PulledKind, from: PullSource): void {
    this.pulls[kind].inc({ from });
    this.counts.add(kind, from);
  }
}
