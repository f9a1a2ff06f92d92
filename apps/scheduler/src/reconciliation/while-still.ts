import type { DataSource, EntityManager } from 'typeorm';
import { EnvironmentEntity } from '../environments/environment.entity.js';

/** What was found of an environment, and when the looking began. */
export interface Look {
  looked: EnvironmentEntity;
  begun: Date;
}

/**
 * Does it if what was looked at still holds: no deployment since, and none under way; none begins before it is done. Answers
 * whether.
 */
export function whileStill(
  dataSource: DataSource,
  { looked, begun }: Look,
  work: (transaction: EntityManager, environment: EnvironmentEntity) => Promise<void>,
): Promise<boolean> {
  return dataSource.transaction(async (transaction) => {
    const environment = await transaction.findOne(EnvironmentEntity, {
      where: { id: looked.id },
      lock: { mode: 'pessimistic_write' },
    });
    const busy: unknown[] = await transaction.query(
      `SELECT 1 FROM deployments
       WHERE environment_id = $1 AND (status IN ('pending', 'running') OR finished_at > $2)`,
      [looked.id, begun],
    );
    if (environment?.deployment !== looked.deployment || environment.removingSince || busy.length > 0)
      return false;
    await work(transaction, environment);
    return true;
  });
}
