import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { AuthorizationRequest, type CedarRecord, type Trace, tracePolicy } from '@berth/cedar';
import { ActionPipeline } from '@berth/actions';
import {
  actions,
  BerthError,
  type ExplainedCondition,
  type ExplainedPolicy,
  type PolicyExplanation,
  type policyRpc,
} from '@berth/contracts';
import { actionEntity } from '../cedar/entities.js';
import type { EvaluationRequest } from '../cedar/evaluator.js';
import { MessageTemplate } from '../cedar/message-template.js';
import type { CompiledPolicy } from '../cedar/policy-compiler.js';
import { TrialCompiler } from '../cedar/trial-compiler.js';
import { requestOf } from '../decisions/verdict.js';
import { type BoundMember, bindPolicies } from '../policies/bound-policies.js';
import { type CompiledPlaces, PlacesReader } from '../policies/places.js';
import { PastDecisions } from './past-decisions.js';
import { PolicyJudge } from './policy-judge.js';
import { Questions } from './questions.js';

type Asked = z.output<typeof policyRpc.explainDecision.request>;

/** Says why a decision was what it was, and what each policy that it is a matter for makes of it. */
@Injectable()
export class Explainer {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly places: PlacesReader,
    private readonly trials: TrialCompiler,
    private readonly past: PastDecisions,
    private readonly questions: Questions,
  ) {}

  async explain({ decision: id }: Asked): Promise<PolicyExplanation> {
    const decision = await this.past.find(id);
    if (!decision) {
      throw new BerthError(
        'NOT_FOUND',
        `There is no decision "${id}", or it is older than decisions are kept.`,
      );
    }
    const resource = { type: 'User', id: decision.principal } as const;
    return this.pipeline.read({ action: actions.policyExplain, resource, context: {} }, async () => {
      const set = await this.places.read();
      const question = await this.questions.of(decision);
      const { time, revision: _revision, id: _id, ...asked } = decision;
      return {
        ...asked,
        decision: id,
        time: time.toISOString(),
        now: question && new PolicyJudge(set).judge(question),
        applying: question ? await this.applying(set, requestOf(question)) : [],
      };
    });
  }

  private async applying(places: CompiledPlaces, request: EvaluationRequest): Promise<ExplainedPolicy[]> {
    const { enforced, advisory, members } = bindPolicies(places);
    const asked = authorizationRequest(request);
    const found: ExplainedPolicy[] = [];
    for (const [id, json] of [...enforced, ...advisory]) {
      const member = members.get(id);
      const policy = member && places.policies.get(member.policy);
      const trace = tracePolicy(json, asked);
      if (policy && trace) found.push(await this.explained(policy, member, trace, request));
    }
    return found.sort(byNearness);
  }

  private async explained(
    { id, effect, message }: CompiledPolicy,
    { scope, mode }: BoundMember,
    { holds, conditions, left }: Trace,
    request: EvaluationRequest,
  ): Promise<ExplainedPolicy> {
    const told: ExplainedCondition[] = [];
    for (const { body, outcome, error } of conditions) {
      told.push({ text: await this.trials.conditionText(body), outcome, error });
    }
    const filled = new MessageTemplate(message).fill(request);
    return { id, effect, scope, mode, holds, message: filled, conditions: told, left };
  }
}

function authorizationRequest({
  action,
  hook,
  principal,
  resource,
  context,
}: EvaluationRequest): AuthorizationRequest {
  const asked = actionEntity(action, hook);
  return new AuthorizationRequest({
    principal: principal.ref,
    action: asked.ref,
    resource: resource.ref,
    context: context as CedarRecord,
    entities: [principal, resource, asked],
  });
}

/** What holds before what does not; of that, first what fewest conditions keep from it. */
function byNearness(left: ExplainedPolicy, right: ExplainedPolicy): number {
  const distance = ({ holds, left: behind }: ExplainedPolicy): number => (holds ? 0 : 1 + behind);
  return distance(left) - distance(right) || (left.id < right.id ? -1 : 1);
}
