import type { EntityManager } from 'typeorm';
import { notFound } from '@berth/actions';
import type { ResourceRef } from '@berth/contracts';
import { TeamEntity } from './team.entity.js';

export const teamRef = (team: string): ResourceRef => ({ type: 'Team', id: team, team });

/** Throws NOT_FOUND. */
export async function findTeam(manager: EntityManager, team: string): Promise<TeamEntity> {
  const found = await manager.getRepository(TeamEntity).findOneBy({ name: team });
  if (!found) throw notFound(teamRef(team));
  return found;
}
