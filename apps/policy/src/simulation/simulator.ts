import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline, notFound } from '@berth/actions';
import {
  actions,
  BerthError,
  OWN_DENIALS,
  type PolicySimulation,
  type policyRpc,
  PLATFORM,
} from '@berth/contracts';
import { TrialCompiler } from '../cedar/trial-compiler.js';
import type { Question } from '../decisions/verdict.js';
import { EVERYWHERE } from '../policies/bound-policies.js';
import { type CompiledPlaces, PlacesReader } from '../policies/places.js';
import { policyRef } from '../policies/policies.js';
import { Impacts } from './impacts.js';
import { type PastDecision, PastDecisions } from './past-decisions.js';
import { PolicyJudge } from './policy-judge.js';
import { Questions } from './questions.js';

type Asked = z.output<typeof policyRpc.simulatePolicies.request>;

const DAY_MS = 86_400_000;
const USUAL_DAYS = 7;
/** Live decisions wait no longer than this. */
const SLICE_MS = 5;

/** Denials that depend on the token or on the moment, and not on what policies say. */
const NO_POLICY: ReadonlySet<string> = new Set(
  OWN_DENIALS.filter((id) => !['default-deny', 'evaluation-error', 'policy-broken'].includes(id)),
);

/** Takes past decisions again, with the policies as they are and as they would be, and tells where the two differ. */
@Injectable()
export class Simulator {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly places: PlacesReader,
    private readonly trials: TrialCompiler,
    private readonly past: PastDecisions,
    private readonly questions: Questions,
  ) {}

  simulate({ changes, since, limit }: Asked): Promise<PolicySimulation> {
    const context = { policies: changes.map(({ id }) => id) };
    return this.pipeline.read({ action: actions.policySimulate, resource: PLATFORM, context }, async () => {
      const { now, then } = await this.sets(changes);
      const moment = since === undefined ? new Date(Date.now() - USUAL_DAYS * DAY_MS) : new Date(since);
      const replayed = await this.replay(new PolicyJudge(now), new PolicyJudge(then), moment, limit);
      return { since: moment.toISOString(), ...replayed };
    });
  }

  private async sets(changes: Asked['changes']): Promise<{ now: CompiledPlaces; then: CompiledPlaces }> {
    const now = await this.places.read();
    const { policies, bindings, broken, exceptions } = now;
    const then = {
      ...{ policies: new Map(policies), bindings: new Map(bindings) },
      ...{ broken: new Map(broken), exceptions },
    };
    for (const { id, text, bindings: bound } of changes) {
      if (text === undefined && !bindings.has(id)) throw notFound(policyRef(id));
      if (text === null) {
        for (const part of [then.policies, then.bindings, then.broken]) part.delete(id);
        continue;
      }
      if (text !== undefined) {
        then.policies.set(id, await this.trials.compile(id, text));
        then.broken.delete(id);
      }
      then.bindings.set(id, bound ?? bindings.get(id) ?? EVERYWHERE);
    }
    return { now, then };
  }

  private async replay(
    now: PolicyJudge,
    then: PolicyJudge,
    since: Date,
    limit: number,
  ): Promise<Omit<PolicySimulation, 'since'>> {
    const impacts = new Impacts();
    const questionOf = this.questions.cached();
    let [seen, replayed] = [0, 0];
    for await (const page of this.past.since(since, limit)) {
      let sliceEnds = performance.now() + SLICE_MS;
      for (const decision of page.slice(0, limit - seen)) {
        const question = byPolicies(decision) ? await questionOf(decision) : null;
        if (question && compare(impacts, decision, question, now, then)) replayed += 1;
        if (performance.now() < sliceEnds) continue;
        await nextTurn();
        sliceEnds = performance.now() + SLICE_MS;
      }
      seen += page.length;
    }
    const cut = seen > limit;
    return { replayed, skipped: Math.min(seen, limit) - replayed, cut, ...impacts.summary() };
  }
}

function byPolicies({ policies }: PastDecision): boolean {
  return !policies.some(({ id }) => NO_POLICY.has(id));
}

/** Whether it could be asked again at all. */
function compare(
  impacts: Impacts,
  decision: PastDecision,
  question: Question,
  now: PolicyJudge,
  then: PolicyJudge,
): boolean {
  try {
    impacts.add(decision, now.judge(question), then.judge(question));
    return true;
  } catch (error) {
    // A resource that lacks what its type needs by now.
    if (error instanceof BerthError && error.code === 'VALIDATION_FAILED') return false;
    throw error;
  }
}
