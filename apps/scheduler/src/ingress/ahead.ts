import type { DataSource, EntityManager } from 'typeorm';
import type { EnvironmentRef } from '../engine/container-engine.js';
import type { WayIn } from '../engine/way-in.js';

/** How long a new environment is expected to get its first service, and for how many at a time. */
const AHEAD_MINUTES = 15;
const AHEAD_MOST = 8;

/** Where nothing has run yet and soon something will, the newest first. */
export function newEnvironments(manager: EntityManager): Promise<EnvironmentRef[]> {
  return manager.query(
    `SELECT project, name AS environment FROM environments
     WHERE deployment IS NULL AND removing_since IS NULL AND created_at > now() - make_interval(mins => $1)
     ORDER BY created_at DESC LIMIT $2`,
    [AHEAD_MINUTES, AHEAD_MOST],
  );
}

/**
 * Puts the way in into the networks of new environments before anything runs there: it takes the engine as long as to start
 * an instance, and their first deployment would have to wait. It stops when someone waits for those that it has to be in.
 */
export async function joinAhead(dataSource: DataSource, wayIn: WayIn, giveWay: () => boolean): Promise<void> {
  const fresh = await newEnvironments(dataSource.manager);
  for (const target of fresh) {
    if (giveWay()) return;
    await dataSource.transaction(async (transaction) => {
      // Its removal begins before or after: no network is made for what is gone.
      const there: unknown[] = await transaction.query(
        'SELECT 1 FROM environments WHERE project = $1 AND name = $2 AND removing_since IS NULL FOR SHARE',
        [target.project, target.environment],
      );
      if (there.length > 0) await wayIn.join(() => Promise.resolve({ wanted: [target], mayKeep: 'any' }));
    });
  }
}
