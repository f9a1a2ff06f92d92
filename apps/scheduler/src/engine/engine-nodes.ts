import type { Node, NodeAvailability } from '@berth/contracts';

/** The machines of the engine. Throws ENGINE_UNAVAILABLE when it does not answer. */
export interface EngineNodes {
  list(): Promise<Node[]>;
  /** Throws NOT_FOUND for a node that is gone. */
  setAvailability(id: string, availability: NodeAvailability): Promise<void>;
  /** Throws CONFLICT where the engine will not: it is not down. */
  remove(id: string): Promise<void>;
}

/** Nest's injection token. */
export const ENGINE_NODES = Symbol('ENGINE_NODES');
