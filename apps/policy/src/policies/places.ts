import { Injectable } from '@nestjs/common';
import { PolicyCompiler } from '../cedar/policy-compiler.js';
import type { PolicyPlaces } from './bound-policies.js';
import { PolicyStore, type StoredSet } from './policy-store.js';

/** A stored set, compiled, with what of it cannot be. */
export interface CompiledPlaces extends PolicyPlaces {
  broken: ReadonlyMap<string, string>;
}

export async function placesOf(
  { policies: stored, exceptions }: StoredSet,
  compiler: PolicyCompiler,
): Promise<CompiledPlaces> {
  const texts = new Map([...stored].map(([id, { text }]) => [id, text]));
  const bindings = new Map([...stored].map(([id, policy]) => [id, policy.bindings]));
  return { ...(await compiler.compileSet(texts)), bindings, exceptions };
}

/** The stored set as it is now, compiled beside the one in force. */
@Injectable()
export class PlacesReader {
  constructor(
    private readonly store: PolicyStore,
    private readonly compiler: PolicyCompiler,
  ) {}

  async read(): Promise<CompiledPlaces> {
    return placesOf(await this.store.read(), this.compiler);
  }
}
