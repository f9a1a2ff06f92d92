import { catalog, type ActionDefinition } from '@berth/contracts';
import type { RepositoryName } from '../names/repository-name.js';
import type { Exchange } from './exchange.js';

/** What the path of a request named. */
export interface Target {
  name: RepositoryName;
  /** The last part of the path: a tag, a digest, an upload's id; empty where the route has none. */
  reference: string;
}

/** A way into the registry. Complete mediation: it performs an action, or is public for a reason that can be weighed. */
export interface Route {
  /** As in the OCI distribution spec 1.1, "Endpoints". */
  id: string;
  methods: readonly string[];
  /** Its groups: the repository's name, then the reference; none on a route about no repository. */
  pattern: RegExp;
  performs?: Pick<ActionDefinition, 'name'>;
  publicReason?: string;
  /** Answered without credentials, too, where a policy permits anything to nobody. */
  open?: boolean;
  /** Another repository that is read for it, as the client calls it; null for none. */
  from?(exchange: Exchange): string | null;
  handle?(exchange: Exchange, target: Target): Promise<void>;
  /** In place of `handle`, on a route about no repository. */
  answer?(exchange: Exchange): Promise<void>;
}

/** Refuses routes that are neither bound to an action of the catalog nor public with a reason. */
export function checkRoutes(routes: readonly Route[]): void {
  const open = routes.filter(({ performs, publicReason }) =>
    performs === undefined ? !publicReason?.trim() : !catalog.has(performs.name),
  );
  if (open.length === 0) return;
  const names = open.map(({ id, methods }) => `${methods.join('/')} ${id}`).join(', ');
  throw new Error(`neither bound to an action nor public with a reason: ${names}`);
}
