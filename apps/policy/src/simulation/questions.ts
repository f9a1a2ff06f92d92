import { Injectable } from '@nestjs/common';
import { catalog, type Hook, type ResourceRef } from '@berth/contracts';
import { factsOf, type Question } from '../decisions/verdict.js';
import { type FreshAsker, PrincipalReader } from '../identity/principal-reader.js';

/** What is asked of policies, as far as it is written down. */
export interface Asked {
  action: string;
  hook: Hook;
  principal: string;
  resource: ResourceRef;
  context: Record<string, unknown>;
  time: Date;
}

/** Makes questions again of what was asked once. Who asks is read as they are now; tokens are left out of it. */
@Injectable()
export class Questions {
  constructor(private readonly principals: PrincipalReader) {}

  /** For many: each person is read once. */
  cached(): (asked: Asked) => Promise<Question | null> {
    const known = new Map<string, Promise<FreshAsker>>();
    return (asked) =>
      this.of(asked, (name) => {
        let reading = known.get(name);
        if (!reading) known.set(name, (reading = this.principals.read(name, null)));
        return reading;
      });
  }

  /** Null for what cannot be asked any more: an action or facts of another version, someone who is gone. */
  async of(
    { action: name, hook, principal, resource, context, time }: Asked,
    read: (name: string) => Promise<FreshAsker> = (person) => this.principals.read(person, null),
  ): Promise<Question | null> {
    const action = catalog.get(name);
    if (!action?.hooks.includes(hook) || !action.resource.includes(resource.type)) return null;
    const asker = await read(principal);
    if (!asker.subject) return null;
    const target = resource.type === 'User' && resource.id !== principal ? await read(resource.id) : null;
    try {
      return {
        action,
        hook,
        asker,
        resource,
        target: target?.subject ?? null,
        context: factsOf(action, hook, context),
        time,
      };
    } catch {
      return null;
    }
  }
}
