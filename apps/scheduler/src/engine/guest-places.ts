import type { EnvironmentRef } from './container-engine.js';

/** Tells by its address whose instance asks: an address in the network of an environment belongs to nobody else's. */
export interface GuestPlaces {
  /** Null for an address that is in no environment's network, and for the way in's own. As the engine says it is now. */
  of(address: string): Promise<EnvironmentRef | null>;
}

/** Nest's injection token. */
export const GUEST_PLACES = Symbol('GUEST_PLACES');
