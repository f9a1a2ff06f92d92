import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  CONTAINER_ENGINE,
  type ContainerEngine,
  type EnvironmentRef,
  type LivingInstance,
} from '../engine/container-engine.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { DriftLedger } from './drift-ledger.js';
import { Halts } from './halts.js';
import { RestartJudge } from './restart-judge.js';

/** Finds the instances that no rollout has brought: the engine starts others in the place of those that end. */
@Injectable()
export class Restarts {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly ledger: DriftLedger,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly judge: RestartJudge,
    private readonly halts: Halts,
  ) {}

  /** In all environments. One that cannot be dealt with keeps no other from being looked at; its error comes at the end. */
  async lookEverywhere(): Promise<void> {
    const begun = new Date();
    const environments = await this.ledger.running();
    if (environments.length === 0) return;
    const living = grouped(await this.engine.living(), placeOf);
    const errors: unknown[] = [];
    for (const environment of environments) {
      const own = living.get(placeOf({ project: environment.project, environment: environment.name })) ?? [];
      await this.look(environment, begun, own).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }

  /** In one. Answers the ids of the instances that policy has judged; null while a deployment is under way. */
  async lookAt(target: EnvironmentRef): Promise<ReadonlySet<string> | null> {
    const begun = new Date();
    const environments = await this.ledger.running(target);
    if (environments.length === 0) return null;
    return this.look(environments[0], begun, await this.engine.living(target));
  }

  private async look(
    looked: EnvironmentEntity,
    begun: Date,
    instances: readonly LivingInstance[],
  ): Promise<ReadonlySet<string>> {
    const known = hasNewcomers(looked, instances) ? await this.settle(looked, begun, instances) : looked;
    const halted = new Set(known.halted.map(({ service }) => service));
    if (instances.some(({ service }) => halted.has(service))) await this.halts.enforce(known);
    return new Set(known.judged);
  }

  /** Has newcomers judged, unless another scheduler does. Answers what is known of the environment then. */
  private settle(
    looked: EnvironmentEntity,
    begun: Date,
    instances: readonly LivingInstance[],
  ): Promise<EnvironmentEntity> {
    const { id, project, name: environment } = looked;
    const asOfNow = async (): Promise<EnvironmentEntity> =>
      (await this.ledger.running({ project, environment })).find((now) => now.id === id) ?? looked;
    return this.dataSource.transaction(async (transaction) => {
      const [{ locked }] = await transaction.query<{ locked: boolean }[]>(
        `SELECT pg_try_advisory_xact_lock(hashtext('restarts'), hashtext($1)) AS locked`,
        [id],
      );
      const now = locked ? await asOfNow() : looked;
      if (!locked || !hasNewcomers(now, instances)) return now;
      const living = new Set(instances.map((instance) => instance.id));
      // What ran before this was kept account of was judged when it was deployed.
      const judged = now.judged?.filter((instance) => living.has(instance)) ?? [...living];
      const newcomers = instances.filter((instance) => !judged.includes(instance.id));
      const verdict = await this.judge.judge(
        now,
        grouped(newcomers, ({ service }) => service),
      );
      const findings = { judged: [...judged, ...verdict.judged], denials: verdict.denials };
      await this.halts.note({ looked: now, begun }, findings);
      return asOfNow();
    });
  }
}

function hasNewcomers({ judged }: EnvironmentEntity, instances: readonly LivingInstance[]): boolean {
  return judged === null || instances.some(({ id }) => !judged.includes(id));
}

function placeOf({ project, environment }: EnvironmentRef): string {
  return `${project}.${environment}`;
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}
