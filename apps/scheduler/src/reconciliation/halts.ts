import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { ActionPipeline } from '@berth/actions';
import { serviceHalted } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { DataSource, type EntityManager } from 'typeorm';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import { EnvironmentEntity } from '../environments/environment.entity.js';
import type { RestartDenial } from './restart-judge.js';
import { whileStill, type Look } from './while-still.js';

/** What came of a look at the instances of an environment, by their ids. */
export interface Findings {
  /** All that are there and that policy has spoken of. */
  judged: readonly string[];
  denials: readonly RestartDenial[];
}

/**
 * The services that policy keeps from running. First it is written down, with its record, and then the engine is told, again
 * and again: whoever is killed in between leaves the rest to the next round. A deployment that succeeds ends it.
 */
@Injectable()
export class Halts {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly pipeline: ActionPipeline,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
  ) {}

  /** Nothing of it holds when the environment has moved on since. */
  async note(look: Look, { judged, denials }: Findings): Promise<void> {
    await whileStill(this.dataSource, look, async (transaction, environment) => {
      const { halted } = environment;
      const since = new Date().toISOString();
      // One that was halted before, and that a rollout taken back has brought up once more, is not told of again.
      const fresh = denials.filter(({ service }) => !halted.some((each) => each.service === service));
      halted.push(...fresh.map(({ service, policies }) => ({ service, since, policies })));
      await transaction.update(EnvironmentEntity, { id: environment.id }, { judged: [...judged], halted });
      for (const denial of fresh) await this.tell(transaction, environment, { ...denial, since });
    });
  }

  /** Ends what runs of services that are halted. */
  async enforce(environment: EnvironmentEntity): Promise<void> {
    const { project, name } = environment;
    const look = { looked: environment, begun: new Date() };
    await whileStill(this.dataSource, look, async (_transaction, { halted }) => {
      for (const { service } of halted) await this.engine.halt({ project, environment: name }, service);
    });
  }

  private async tell(
    transaction: EntityManager,
    { team, project, name: environment }: EnvironmentEntity,
    { service, grant, policies, told, since }: RestartDenial & { since: string },
  ): Promise<void> {
    const reason = `Policy denies an instance that the engine started anew, so its service was stopped. ${told}`;
    await this.pipeline.record(transaction, grant, { outcome: 'denied', code: 'POLICY_DENIED', reason });
    const event = { project, environment, service, since, policies };
    await this.outbox.event(transaction, draftEvent(serviceHalted, { team, project, environment }, event));
  }
}
