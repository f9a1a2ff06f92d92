import { Injectable } from '@nestjs/common';
import { failClosed, type PolicyPort } from '@berth/actions';
import {
  BerthError,
  catalog,
  type ActionDefinition,
  type Decision,
  type DecisionRequest,
} from '@berth/contracts';
import { newId } from '@berth/runtime';
import { HookCaller } from '../hooks/hook-caller.js';
import { isAsked } from '../hooks/live-hook.js';
import { PrincipalReader } from '../identity/principal-reader.js';
import { LivePolicies, type LiveSet } from '../policies/live-policies.js';
import type { Evaluation } from '../cedar/evaluator.js';
import { DecisionRecorder } from './decision-recorder.js';
import { mayKnowOf } from './standing.js';
import { factsOf, type Question, type Verdict, verdictOn } from './verdict.js';

/** Answers hooks: reads who asks afresh, and asks the policies of the revision that holds at that moment, or a newer one. */
@Injectable()
export class Decider {
  constructor(
    private readonly principals: PrincipalReader,
    private readonly policies: LivePolicies,
    private readonly hooks: HookCaller,
    private readonly recorder: DecisionRecorder,
  ) {}

  /**
   * Throws VALIDATION_FAILED for what no policy can be asked, POLICY_UNAVAILABLE when the answer could not be kept or the
   * policies cannot be had, and whatever the database throws when it is away. Each of these is a no.
   */
  async decide(request: DecisionRequest): Promise<Decision> {
    const action = actionOf(request);
    const context = factsOf(action, request.hook, request.context);
    if (!this.recorder.hasRoom) {
      throw new BerthError('POLICY_UNAVAILABLE', 'No decision could be kept, so none was taken. Try again.');
    }
    const { principal, resource } = request;
    const otherUser = resource.type === 'User' && resource.id !== principal.user ? resource.id : null;
    const reading = this.principals.read(principal.user, principal.tokenId);
    const [asker, target] =
      otherUser === null
        ? [await reading, null]
        : await Promise.all([reading, this.principals.read(otherUser, null)]);
    if (!this.policies.isAt(asker.revision)) await this.policies.atLeast(asker.revision);
    const inForce = this.policies.current;
    const question = {
      action,
      hook: request.hook,
      asker,
      resource,
      target: target?.subject ?? null,
      context,
      time: new Date(),
    };
    const evaluations: Evaluation[] = [];
    const noted = (evaluation: Evaluation): Evaluation => {
      evaluations.push(evaluation);
      return evaluation;
    };
    const verdict = verdictOn(question, inForce, {
      evaluate: (asked) => noted(this.policies.evaluate(asked)),
      advise: (asked) => noted(this.policies.advise(asked)),
    });
    const id = newId();
    // Nearly always there is none, and who has none waits for none.
    const answer: Verdict & { asked?: boolean } =
      inForce.hooks.length > 0 ? await this.withHooks(id, verdict, question, inForce) : verdict;
    const { allowed, policies, advice, asked = false } = answer;
    const decision: Decision = {
      id,
      allowed,
      policies,
      advice,
      // What integrators say may change with the next question.
      reusable: allowed && !asked,
      visible: mayKnowOf(asker.subject, resource),
      revision: inForce.revision,
    };
    this.recorder.add({ ...request, context }, decision, evaluations);
    return decision;
  }

  /** What policies would allow is put to the hooks; each of them may still say no. `asked`: whether any was. */
  private async withHooks(
    decision: string,
    verdict: Verdict,
    question: Question,
    { hooks: all }: LiveSet,
  ): Promise<Verdict & { asked: boolean }> {
    const { subject } = question.asker;
    if (!verdict.allowed || !subject) return { ...verdict, asked: false };
    const { action, hook, resource, context, time } = question;
    const { name, kind, admin } = subject;
    const put = {
      ...{ decision, time: time.toISOString(), action: action.name, hook },
      ...{ principal: { name, kind, admin }, resource, context },
    };
    const hooks = all.filter((hook) => isAsked(hook, put));
    if (hooks.length === 0) return { ...verdict, asked: false };
    const { denials, advice } = await this.hooks.ask(hooks, put);
    const told = [...verdict.advice, ...advice];
    return denials.length > 0
      ? { allowed: false, policies: denials, advice: told, asked: true }
      : { ...verdict, advice: told, asked: true };
  }
}

/** The pipeline's way to it within this service. */
@Injectable()
export class LocalPolicy implements PolicyPort {
  constructor(private readonly decider: Decider) {}

  decide(request: DecisionRequest): Promise<Decision> {
    return failClosed('POLICY_UNAVAILABLE', () => this.decider.decide(request));
  }
}

function actionOf({ action: name, hook, resource }: DecisionRequest): ActionDefinition {
  const action = catalog.get(name);
  if (!action) throw new BerthError('VALIDATION_FAILED', `There is no action "${name}".`);
  if (!action.hooks.includes(hook))
    throw new BerthError('VALIDATION_FAILED', `${name} has no hook "${hook}".`);
  if (!action.resource.includes(resource.type)) {
    throw new BerthError('VALIDATION_FAILED', `${name} is not done to a ${resource.type}.`);
  }
  return action;
}
