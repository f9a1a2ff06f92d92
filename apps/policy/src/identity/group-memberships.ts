import type { EntityManager } from 'typeorm';
import { memberRemoved, memberSetEvent, type Member } from '@berth/contracts';
import { draftEvent, type EventDraft } from '@berth/messaging';

/** Serializes whatever memberships of groups follow from: a login, a mapping. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('berth.group-memberships'))`;

/** The highest role of each user in each team, by the groups that they were in at their last login. */
const WANTED = `
  SELECT DISTINCT ON (i.user_name, g.team) i.user_name, g.team, g.role
  FROM identities i JOIN team_groups g ON g.group_name = ANY (i.groups)
  WHERE ($1::text IS NULL OR i.user_name = $1) AND ($2::text IS NULL OR g.team = $2)
  ORDER BY i.user_name, g.team, array_position(ARRAY['viewer', 'developer', 'maintainer'], g.role) DESC`;

const REMOVE = `
  WITH wanted AS (${WANTED})
  DELETE FROM members m
  WHERE m.source = 'group' AND ($1::text IS NULL OR m.user_name = $1) AND ($2::text IS NULL OR m.team = $2)
    AND NOT EXISTS (SELECT FROM wanted w WHERE w.user_name = m.user_name AND w.team = m.team)
  RETURNING m.team, m.user_name AS user`;

const ADD = `
  INSERT INTO members (team, user_name, role, source)
  SELECT team, user_name, role, 'group' FROM (${WANTED}) wanted
  ON CONFLICT (team, user_name) DO UPDATE SET role = excluded.role
  WHERE members.source = 'group' AND members.role <> excluded.role
  RETURNING team, user_name AS user, role, source`;

/** Of one user, or of one team. */
export type Extent = { user: string; team?: undefined } | { user?: undefined; team: string };

/**
 * Brings memberships in line with groups and their mappings, within the transaction that changed either. What somebody gave
 * by hand stays as it is, lower or higher. Answers the events of what changed.
 */
export async function alignMemberships(
  transaction: EntityManager,
  { user, team }: Extent,
): Promise<EventDraft[]> {
  const extent = [user ?? null, team ?? null];
  const [removed]: [{ team: string; user: string }[], number] = await transaction.query(REMOVE, extent);
  const set: Member[] = await transaction.query(ADD, extent);
  return [
    ...removed.map((member) => draftEvent(memberRemoved, { team: member.team }, member)),
    ...set.map((member) => draftEvent(memberSetEvent, { team: member.team }, member)),
  ];
}

/** To be held from before the change of groups or mappings on, or two changes at once would not see each other. */
export async function holdMemberships(transaction: EntityManager): Promise<void> {
  await transaction.query(LOCK);
}
