import { Injectable } from '@nestjs/common';
import { ActionPipeline, requireActor, type Done, type Grant, type Intent } from '@berth/actions';
import { currentContext } from '@berth/runtime';
import type { z } from 'zod';
import { OneAsks } from './one-asks.js';
import { PolicyStanding } from './policy-standing.js';
import { type Asking, ShortMemory } from './short-memory.js';

/** A grant, and what it became with the word on what was found, by the digest of that. */
interface Leave {
  before: Grant;
  found: Map<string, Grant>;
}

/** A leave, and when policy was asked for it; null where it was known. */
interface Taken {
  leave: Leave;
  key: string;
  asked: Asking | null;
}

interface Found<T, O extends z.ZodObject> {
  result: T;
  digest: string;
  outcome: () => Promise<Done<T, O>['outcome']>;
}

/**
 * Policy's leave for what clients read, taken for the same client and the same thing again without asking, for seconds and never across
 * a change: a pull asks for many things at once, and a hundred nodes pull the same. See ADR 0025.
 */
@Injectable()
export class Leaves {
  private readonly known: ShortMemory<Leave>;
  private readonly leaving = new OneAsks();
  private readonly judging = new OneAsks();

  constructor(
    private readonly pipeline: ActionPipeline,
    standing: PolicyStanding,
  ) {
    this.known = new ShortMemory(standing);
  }

  /** As `ActionPipeline.reveal` does, with its record. `digest` stands for all of the outcome, which is put together only where policy is asked. */
  async reveal<C extends z.ZodObject, O extends z.ZodObject, T>(
    intent: Intent<C, O>,
    find: () => Promise<Found<T, O>>,
  ): Promise<T> {
    const taken = await this.take(intent);
    this.pipeline.requireRoom();
    const { result, outcome, digest } = await find();
    const known = (): Grant | undefined => taken.leave.found.get(digest);
    const judge = async (): Promise<Grant> => this.judge(intent, taken.leave, await outcome(), digest);
    const grant = known() ?? (await this.judging.run(`${taken.key} ${digest}`, known, judge));
    this.keep(taken);
    this.pipeline.recordRead(grant);
    return result;
  }

  /** As `ActionPipeline.authorize` does, of what the record tells elsewhere. */
  async require<C extends z.ZodObject, O extends z.ZodObject>(intent: Intent<C, O>): Promise<void> {
    this.keep(await this.take(intent));
  }

  private async judge<C extends z.ZodObject, O extends z.ZodObject>(
    { action }: Intent<C, O>,
    leave: Leave,
    outcome: Done<unknown, O>['outcome'],
    digest: string,
  ): Promise<Grant> {
    const grant = { ...leave.before, decisions: [...leave.before.decisions] };
    const decision = await this.pipeline.judgeFound(action, grant, outcome);
    if (decision?.reusable) leave.found.set(digest, grant);
    return grant;
  }

  private async take<C extends z.ZodObject, O extends z.ZodObject>(intent: Intent<C, O>): Promise<Taken> {
    const { action, resource, context } = intent;
    const { user, tokenId } = requireActor();
    const key = JSON.stringify([user, tokenId, action.name, resource.id, context]);
    const known = (): Taken | undefined => {
      const leave = this.known.get(key);
      return leave && { leave, key, asked: null };
    };
    const taken = known() ?? (await this.leaving.run(key, known, () => this.ask(intent, key)));
    currentContext()?.performed.add(action.name);
    return taken;
  }

  private async ask<C extends z.ZodObject, O extends z.ZodObject>(
    intent: Intent<C, O>,
    key: string,
  ): Promise<Taken> {
    const asked = this.known.asking();
    const taken = { leave: { before: await this.pipeline.authorize(intent), found: new Map() }, key, asked };
    // One that takes the place of another waits until all was asked for it: else everybody would ask about what is found.
    if (!this.known.has(key)) this.keep(taken);
    return taken;
  }

  private keep({ leave, key, asked }: Taken): void {
    if (asked !== null && leave.before.reusable) this.known.set(key, leave, asked);
  }
}
