import { Injectable } from '@nestjs/common';
import { ActionPipeline, requireActor, type Grant, type Intent } from '@berth/actions';
import { currentContext } from '@berth/runtime';
import type { z } from 'zod';
import { PolicyStanding } from './policy-standing.js';
import { ShortMemory } from './short-memory.js';

/**
 * Policy's leave for what clients read, taken for the same client and the same thing again without asking, for seconds and never across
 * a change: a pull asks for many things at once, and a hundred nodes pull the same. See ADR 0025.
 */
@Injectable()
export class Leaves {
  private readonly known: ShortMemory<Grant>;

  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly standing: PolicyStanding,
  ) {
    this.known = new ShortMemory(standing);
  }

  /** As `ActionPipeline.read` does, with its record. */
  async read<C extends z.ZodObject, O extends z.ZodObject, T>(
    intent: Intent<C, O>,
    perform: () => Promise<T>,
  ): Promise<T> {
    return this.pipeline.readBy(await this.grant(intent), perform);
  }

  /** As `ActionPipeline.authorize` does, of what the record tells elsewhere. */
  async require<C extends z.ZodObject, O extends z.ZodObject>(intent: Intent<C, O>): Promise<void> {
    await this.grant(intent);
  }

  private async grant<C extends z.ZodObject, O extends z.ZodObject>(intent: Intent<C, O>): Promise<Grant> {
    const { action, resource, context } = intent;
    const { user, tokenId } = requireActor();
    const key = JSON.stringify([user, tokenId, action.name, resource.id, context]);
    const known = this.known.get(key);
    if (known) {
      currentContext()?.performed.add(action.name);
      return known;
    }
    const before = this.standing.now;
    const grant = await this.pipeline.authorize(intent);
    if (grant.reusable) this.known.set(key, grant, before);
    return grant;
  }
}
