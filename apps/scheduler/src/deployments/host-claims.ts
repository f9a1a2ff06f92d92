import type { EntityManager } from 'typeorm';
import { BerthError } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';

type Services = Pick<RunSpec, 'services'>;

/** Early and without a lock: `claimHosts` has the last word. */
export async function refuseHostsOfOthers(
  manager: EntityManager,
  environmentId: string,
  spec: Services,
): Promise<void> {
  const taken: { host: string }[] = await manager.query(
    'SELECT host FROM host_claims WHERE environment_id <> $1 AND host = ANY ($2::text[]) ORDER BY host',
    [environmentId, hostsOf(spec)],
  );
  if (taken.length > 0) throw hostInUse(taken[0].host);
}

/** Names that it has already stay its own; those it no longer needs go with the end of the deployment. */
export async function claimHosts(
  transaction: EntityManager,
  environmentId: string,
  spec: Services,
): Promise<void> {
  for (const host of hostsOf(spec)) {
    const [holder]: { environment_id: string }[] = await transaction.query(
      `INSERT INTO host_claims (host, environment_id) VALUES ($1, $2)
       ON CONFLICT (host) DO UPDATE SET environment_id = host_claims.environment_id
       RETURNING environment_id`,
      [host, environmentId],
    );
    if (holder.environment_id !== environmentId) throw hostInUse(host);
  }
}

/** Lets go of all but those of what runs now. */
export async function keepHosts(
  transaction: EntityManager,
  environmentId: string,
  spec: Services | null,
): Promise<void> {
  await transaction.query(
    'DELETE FROM host_claims WHERE environment_id = $1 AND NOT (host = ANY ($2::text[]))',
    [environmentId, hostsOf(spec ?? { services: {} })],
  );
}

/** In one order: whoever locks them does so in the same. */
function hostsOf({ services }: Services): string[] {
  return Object.values(services)
    .flatMap(({ hosts }) => hosts)
    .sort();
}

function hostInUse(host: string): BerthError {
  return new BerthError(
    'HOST_IN_USE',
    `The host name "${host}" belongs to another environment. Take it out of what runs there first, or choose another.`,
    { host },
  );
}
