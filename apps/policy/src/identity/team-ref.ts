import type { EntityManager } from 'typeorm';
import { notFound } from '@berth/actions';
import { teamResource } from '@berth/contracts';
import { TeamEntity } from './team.entity.js';

/** Throws NOT_FOUND. */
export async function findTeam(manager: EntityManager, team: string): Promise<TeamEntity> {
  const found = await manager.getRepository(TeamEntity).findOneBy({ name: team });
  if (!found) throw notFound(teamResource(team));
  return found;
}
