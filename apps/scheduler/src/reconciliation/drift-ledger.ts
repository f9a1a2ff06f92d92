import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, IsNull, Not } from 'typeorm';
import { environmentDrifted, environmentDriftEnded, environmentNotMended } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import type { EngineDrift, EnvironmentRef } from '../engine/container-engine.js';
import { EnvironmentEntity } from '../environments/environment.entity.js';
import { whileStill } from './while-still.js';

/** What was found of drift: written down and told when it is something new. */
@Injectable()
export class DriftLedger {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Environments in which something runs, and nothing is on its way; or this one, if so. */
  running(one?: EnvironmentRef): Promise<EnvironmentEntity[]> {
    const named = one ? { project: one.project, name: one.environment } : {};
    return this.dataSource.manager
      .createQueryBuilder(EnvironmentEntity, 'environment')
      .where({ ...named, deployment: Not(IsNull()), removingSince: IsNull() })
      .andWhere(
        `NOT EXISTS (SELECT 1 FROM deployments d
         WHERE d.environment_id = environment.id AND d.status IN ('pending', 'running'))`,
      )
      .orderBy('environment.id')
      .getMany();
  }

  /** `begun`: when the looking did. Answers whether it holds: not when the environment has moved on since. */
  async note(looked: EnvironmentEntity, begun: Date, findings: EngineDrift[]): Promise<boolean> {
    // Most of the time there is nothing, as there was nothing before.
    if (findings.length === 0 && looked.drift === null) return true;
    return whileStill(this.dataSource, { looked, begun }, async (transaction, environment) => {
      const known = environment.drift?.findings ?? [];
      // The database keeps the keys of an object in an order of its own.
      if (isDeepStrictEqual(known, findings)) return;
      const drift = findings.length > 0 ? { foundAt: new Date().toISOString(), findings } : null;
      await transaction.update(EnvironmentEntity, { id: looked.id }, { drift });
      const { team, project, name, onDrift } = environment;
      const place = { team, project, environment: name };
      const told = { project, environment: name };
      await this.outbox.event(
        transaction,
        drift
          ? draftEvent(environmentDrifted, place, { ...told, onDrift, findings: findings.map(whereOf) })
          : draftEvent(environmentDriftEnded, place, told),
      );
    });
  }

  async tellNotMended(
    { team, project, name: environment }: EnvironmentEntity,
    why: { code: string; reason: string },
  ): Promise<void> {
    const place = { team, project, environment };
    const event = draftEvent(environmentNotMended, place, { project, environment, ...why });
    await this.dataSource.transaction((transaction) => this.outbox.event(transaction, event));
  }
}

/** Events tell names, and no values of variables. */
function whereOf({ service, path }: EngineDrift): Pick<EngineDrift, 'service' | 'path'> {
  return { service, path };
}
