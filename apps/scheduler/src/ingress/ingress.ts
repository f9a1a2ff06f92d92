import { createHash } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { BerthError } from '@berth/contracts';
import { asBerthError, LOGGER, type Logger } from '@berth/runtime';
import { KeyStore } from '../certificates/key-store.js';
import type { RunSpec } from '../compose/index.js';
import type { EnvironmentRef, InstanceAddress } from '../engine/container-engine.js';
import { WAY_IN, type WayIn } from '../engine/way-in.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from '../upkeep/rounds.js';
import { loadConfig } from './admin-client.js';
import { joinAhead, newEnvironments } from './ahead.js';
import { writeBootFile } from './boot-file.js';
import { ingressConfig, type RoutePlace } from './config.js';
import { derivedHost, hostsOf, routesOf, type Place } from './hosts.js';
import { reaches } from './probe.js';
import { urlAt, withTls } from './tls.js';

const RETRY_MS = 500;
/** In a row: from then on it is not taken for a passing trouble, and who waits for it is told. */
const PATIENCE_MS = 20_000;

/**
 * Holds the way in against what should run: that its container is there, in the networks of the environments where
 * something runs, and knows the services that speak HTTP. It goes on serving while the scheduler is away.
 */
@Injectable()
export class Ingress implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Rounds;
  /** Hash of the configuration that Caddy has taken from here, and by which start of it. */
  private loaded: string | null = null;
  private readonly waiting: (() => void)[] = [];
  /** Since when each round has failed for the same kind of reason, and what the last says. */
  private failure: { since: number; error: BerthError } | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(WAY_IN) private readonly wayIn: WayIn | null,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly keys: KeyStore,
  ) {
    this.rounds = new Rounds(env.SCHEDULER_UPKEEP_SECONDS * 1_000, () => this.round());
  }

  onApplicationBootstrap(): void {
    if (this.wayIn) this.rounds.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.wayIn) await this.rounds.stop();
  }

  /** What should run has changed. */
  wake(): void {
    if (this.wayIn) this.rounds.wake();
  }

  /**
   * Asks instances where requests come in; undefined where they come in nowhere. Throws WAY_IN_UNAVAILABLE when that has not
   * worked for a while.
   */
  get probe(): ((instance: InstanceAddress) => Promise<boolean>) | undefined {
    if (!this.wayIn) return undefined;
    return (instance) => {
      this.throwIfBroken();
      return reaches(this.env.BERTH_INGRESS_FOLDER, instance);
    };
  }

  /** Where a service answers; null where it has no way in. */
  urlOf(route: RoutePlace, spec: RunSpec | null): string | null {
    const service = spec?.services[route.service];
    if (!this.wayIn || !service?.http) return null;
    const [host] = [...service.hosts, derivedHost(route, this.env.BERTH_INGRESS_DOMAIN)];
    return urlAt(host, this.env);
  }

  /**
   * Resolves when the way in was held against what should run, from now on: in any case for who has nothing that is reached
   * through it; else when that has worked. Throws WAY_IN_UNAVAILABLE when it has not for a while, and at once when it is the
   * engine or the database that is away. The way in is in a network before the first instance is: the engine
   * does not coordinate addresses of a container and a task that join at one time.
   */
  async catchUp(spec: RunSpec): Promise<void> {
    if (!this.wayIn) return;
    const needed = Object.values(spec.services).some(({ http, replicas }) => http && replicas > 0);
    this.rounds.wake();
    do {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      if (!needed || !this.failure) return;
      this.throwIfBroken();
    } while (this.failure.error.code === 'WAY_IN_UNAVAILABLE');
    throw this.failure.error;
  }

  /** What kept the last round from working, however short a while ago. */
  get trouble(): BerthError | null {
    return this.failure?.error ?? null;
  }

  private throwIfBroken(): void {
    if (this.failure?.error.code !== 'WAY_IN_UNAVAILABLE') return;
    if (performance.now() - this.failure.since >= PATIENCE_MS) throw this.failure.error;
  }

  private async round(): Promise<void> {
    const waiting = this.waiting.splice(0);
    const done = (): void => waiting.splice(0).forEach((resolve) => resolve());
    try {
      if (!this.wayIn) return;
      await this.reconcile(this.wayIn);
      this.failure = null;
      done();
      const giveWay = (): boolean => this.waiting.length > 0;
      await joinAhead(this.dataSource, this.wayIn, giveWay);
    } catch (error) {
      this.logger.warn({ err: error }, 'ingress.failed');
      const told = explained(error);
      const since = this.failure?.error.code === told.code ? this.failure.since : performance.now();
      this.failure = { since, error: told };
      setTimeout(() => this.rounds.wake(), RETRY_MS).unref();
    } finally {
      done();
    }
  }

  private async reconcile(wayIn: WayIn): Promise<void> {
    const folder = this.env.BERTH_INGRESS_FOLDER;
    writeBootFile(folder);
    const start = await wayIn.ensure();
    let places: Place[] = [];
    await wayIn.join(async () => {
      const [found, fresh] = await Promise.all([this.places(), newEnvironments(this.dataSource.manager)]);
      places = found;
      return { wanted: peopled(places), mayKeep: fresh };
    });
    const routes = routesOf(places);
    const domain = this.env.BERTH_INGRESS_DOMAIN;
    const hosts = routes.flatMap((route) => hostsOf(route, domain)).sort();
    const own = await this.keys.all();
    const config = withTls(ingressConfig(domain, routes), this.env, { hosts, own });
    const hash = createHash('sha256')
      .update(JSON.stringify([start, config]))
      .digest('hex');
    if (hash === this.loaded) return;
    await loadConfig(folder, config).catch((error: Error) => {
      throw broken(`it does not take its configuration: ${error.message}`, error);
    });
    this.loaded = hash;
    this.logger.info({ services: routes.length }, 'ingress.loaded');
  }

  /**
   * Releases that run, and those being rolled out. Of a service in both, the later counts: what runs, until the
   * instances of what is being rolled out have proven themselves.
   */
  private places(): Promise<Place[]> {
    return this.dataSource.query(
      `SELECT d.project, d.environment, d.spec, 1 AS turn FROM environments e
       JOIN deployments d ON d.id = e.deployment WHERE e.removing_since IS NULL
       UNION ALL
       SELECT project, environment, spec, CASE WHEN serving THEN 2 ELSE 0 END FROM deployments
         WHERE status IN ('pending', 'running')
       ORDER BY turn`,
    );
  }
}

/** What is not another's trouble is the way in's own. */
function explained(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  const told = asBerthError(error);
  return told.code === 'DATABASE_UNAVAILABLE' ? told : broken((error as Error).message, error);
}

function broken(why: string, cause: unknown): BerthError {
  return new BerthError('WAY_IN_UNAVAILABLE', `The way in does not work: ${why}`, {}, { cause });
}

/** Where something runs, or is about to: these are the networks to be in. */
function peopled(places: readonly Place[]): EnvironmentRef[] {
  const runs = ({ spec }: Place): boolean =>
    Object.values(spec.services).some(({ replicas }) => replicas > 0);
  const byName = places
    .filter(runs)
    .map(({ project, environment }) => [`${project}/${environment}`, { project, environment }] as const);
  return [...new Map(byName).values()];
}
