import type { EntityManager } from 'typeorm';
import { notFound } from '@berth/actions';
import type { PolicyScope } from '@berth/contracts';
import { TeamEntity } from '../identity/team.entity.js';

/** A name that no team has is a slip, and a rule that holds nowhere. Projects and environments are known elsewhere. */
export async function refuseUnknownTeam(transaction: EntityManager, scope: PolicyScope): Promise<void> {
  const [kind, name] = scope.split('/');
  if (kind !== 'teams') return;
  if (!(await transaction.getRepository(TeamEntity).existsBy({ name }))) {
    throw notFound({ type: 'Team', id: name });
  }
}
