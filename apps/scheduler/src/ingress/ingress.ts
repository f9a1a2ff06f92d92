import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger } from '@berth/runtime';
import { KeyStore } from '../certificates/key-store.js';
import type { RunSpec } from '../compose/index.js';
import type { EnvironmentRef, InstanceAddress } from '../engine/container-engine.js';
import { WAY_IN, type WayIn } from '../engine/way-in.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Rounds } from '../upkeep/rounds.js';
import { loadConfig } from './admin-client.js';
import { joinAhead, newEnvironments } from './ahead.js';
import { BOOT_CONFIG, ingressConfig, type RoutePlace } from './config.js';
import { derivedHost, hostsOf, routesOf, type Place } from './hosts.js';
import { reaches } from './probe.js';
import { urlAt, withTls } from './tls.js';

const RETRY_MS = 500;

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

  /** Asks instances where requests come in; undefined where they come in nowhere. */
  get probe(): ((instance: InstanceAddress) => Promise<boolean>) | undefined {
    return this.wayIn ? (instance) => reaches(this.env.BERTH_INGRESS_FOLDER, instance) : undefined;
  }

  /** Where a service answers; null where it has no way in. */
  urlOf(route: RoutePlace, spec: RunSpec | null): string | null {
    const service = spec?.services[route.service];
    if (!this.wayIn || !service?.http) return null;
    const [host] = [...service.hosts, derivedHost(route, this.env.BERTH_INGRESS_DOMAIN)];
    return urlAt(host, this.env);
  }

  /**
   * Resolves when the way in was held against what should run, from now on, whatever came of it. It is in a network before
   * the first instance is: the engine does not coordinate addresses of a container and a task that join at one time.
   */
  async catchUp(): Promise<void> {
    if (!this.wayIn) return;
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.rounds.wake();
    });
  }

  private async round(): Promise<void> {
    const waiting = this.waiting.splice(0);
    const done = (): void => waiting.splice(0).forEach((resolve) => resolve());
    try {
      if (!this.wayIn) return;
      await this.reconcile(this.wayIn);
      done();
      const giveWay = (): boolean => this.waiting.length > 0;
      await joinAhead(this.dataSource, this.wayIn, giveWay);
    } catch (error) {
      this.logger.warn({ err: error }, 'ingress.failed');
      setTimeout(() => this.rounds.wake(), RETRY_MS).unref();
    } finally {
      done();
    }
  }

  private async reconcile(wayIn: WayIn): Promise<void> {
    const folder = this.env.BERTH_INGRESS_FOLDER;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'boot.json'), JSON.stringify(BOOT_CONFIG));
    const address = await wayIn.ensure();
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
    const config = withTls(ingressConfig(address, domain, routes), this.env, { hosts, own });
    const hash = createHash('sha256').update(JSON.stringify(config)).digest('hex');
    if (hash === this.loaded) return;
    await loadConfig(folder, config);
    this.loaded = hash;
    this.logger.info({ services: routes.length }, 'ingress.loaded');
  }

  /** Releases that run, and after them those being rolled out: of a service in both, the newer counts. */
  private places(): Promise<Place[]> {
    return this.dataSource.query(
      `SELECT d.project, d.environment, d.spec FROM environments e
       JOIN deployments d ON d.id = e.deployment WHERE e.removing_since IS NULL
       UNION ALL
       SELECT project, environment, spec FROM deployments WHERE status IN ('pending', 'running')`,
    );
  }
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
