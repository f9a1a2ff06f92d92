import {
  BerthError,
  PLATFORM,
  teamResource,
  type ActionDefinition,
  type ResourceRef,
} from '@berth/contracts';
import type { z } from 'zod';
import { requireActor, type ActionPipeline } from './pipeline.js';

/** The teams whose things may be seen; null for all, also what is no team's. */
export type VisibleTeams = string[] | null;

/**
 * Reads what teams own. With a team: of that one. Without: all for an admin, and for everyone else of those of their teams whose things
 * policy lets them see; throws the last denial when there is none.
 */
export async function readOfTeams<C extends z.ZodObject, O extends z.ZodObject, T>(
  pipeline: ActionPipeline,
  action: ActionDefinition<C, O> & { context: z.ZodObject<Record<string, never>> },
  team: string | undefined,
  perform: (teams: VisibleTeams) => Promise<T>,
): Promise<T> {
  const read = <R>(resource: ResourceRef, reading: () => Promise<R>): Promise<R> =>
    pipeline.read({ action, resource, context: {} as z.input<C> }, reading);
  const { admin, teams } = requireActor();
  if (team !== undefined) return read(teamResource(team), () => perform([team]));
  if (admin || teams.length === 0) return read(PLATFORM, () => perform(null));
  const asked = await Promise.allSettled(
    teams.map(({ team: name }) => read(teamResource(name), () => Promise.resolve(name))),
  );
  const denials = asked.filter((answer) => answer.status === 'rejected');
  for (const { reason } of denials) if (!isDenial(reason)) throw reason;
  const readable = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (readable.length === 0) throw denials[denials.length - 1].reason;
  return perform(readable);
}

function isDenial(error: unknown): boolean {
  return error instanceof BerthError && (error.code === 'POLICY_DENIED' || error.code === 'NOT_FOUND');
}
