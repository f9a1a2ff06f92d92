import type {
  CheckParseAnswer,
  CedarValueJson,
  EntityJson,
  PolicyJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionDefinition, Hook } from '@berth/contracts';
import { uid } from './entities.js';
import { type Cedar, openCedar } from './open-cedar.js';
import { groupsOf, hookAction } from './schema.js';

/** A question in Cedar's terms. `context` holds the facts as the action's schema has parsed them, and nothing else. */
export interface EvaluationRequest {
  action: ActionDefinition;
  hook: Hook;
  principal: EntityJson;
  resource: EntityJson;
  context: Record<string, unknown>;
}

export interface EvaluationError {
  /** The policy that could not be evaluated; null when nothing could. */
  policy: string | null;
  message: string;
}

export interface Evaluation {
  /** Never with an error: Cedar skips a policy that fails, and a skipped forbid would allow. */
  allowed: boolean;
  /** Ids of the policies that decided: the forbids that matched, or else the permits; none of a default deny. */
  determining: string[];
  errors: EvaluationError[];
}

/** Parsed and validated policies by id. What decides is given no text: parsing what people wrote is done elsewhere. */
export type PolicySet = ReadonlyMap<string, PolicyJson>;

/** What decides, request by request, on a set of policies that was validated before. */
export interface Evaluator {
  /** Replaces the set, whole: what is decided from here on is decided by `policies`. */
  load(policies: PolicySet): void;
  decide(request: EvaluationRequest): Evaluation;
}

/** Injection token of the evaluator. */
export const EVALUATOR = Symbol('EVALUATOR');

const SET = 'live';

/** The part of a call that does not depend on where the policies are. */
export function authorizationCall(
  request: EvaluationRequest,
): Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'> {
  const action = uid('Action', hookAction(request.action.name, request.hook));
  const entities = [
    request.principal,
    { uid: action, attrs: {}, parents: groupsOf(request.action).map((id) => uid('Action', id)) },
  ];
  if (!sameUid(request.principal, request.resource)) entities.push(request.resource);
  return {
    principal: request.principal.uid,
    action,
    resource: request.resource.uid,
    context: request.context as Record<string, CedarValueJson>,
    entities,
  };
}

/**
 * Cedar's own evaluator. Called without the schema: entities and facts are made by typed code to fit it, the few action
 * groups that matter are told with each request, and a call takes 300 microseconds instead of 450.
 */
export class WasmEvaluator implements Evaluator {
  private cedar: Cedar = openCedar();
  private policies: PolicySet = new Map();

  load(policies: PolicySet): void {
    let answer: CheckParseAnswer;
    try {
      answer = this.cedar.preparsePolicySet(SET, { staticPolicies: Object.fromEntries(policies) });
    } catch (error) {
      throw new Error(`the policies cannot be loaded: ${String(error)}`, { cause: error });
    }
    if (answer.type === 'failure') {
      throw new Error(
        `the policies cannot be loaded: ${answer.errors.map(({ message }) => message).join('; ')}`,
      );
    }
    this.policies = policies;
  }

  decide(request: EvaluationRequest): Evaluation {
    try {
      const answer = this.cedar.statefulIsAuthorized({
        ...authorizationCall(request),
        preparsedPolicySetId: SET,
      });
      if (answer.type === 'failure') return failed(answer.errors.map(({ message }) => message).join('; '));
      const { decision, diagnostics } = answer.response;
      const errors = diagnostics.errors.map(({ policyId, error }) => ({
        policy: policyId,
        message: error.message,
      }));
      return {
        allowed: decision === 'allow' && errors.length === 0,
        determining: diagnostics.reason,
        errors,
      };
    } catch (error) {
      if (isFault(error)) this.revive();
      return failed(String(error));
    }
  }

  /** A fault leaves an instance that fails every call to come: this request is denied, the next one meets a new instance. */
  private revive(): void {
    this.cedar = openCedar();
    this.load(this.policies);
  }
}

/** A trap of the WebAssembly or an overflow of the stack; a request that it cannot read is thrown as a plain `Error`. */
function isFault(error: unknown): boolean {
  return !(error instanceof Error) || error.name !== 'Error';
}

function failed(message: string): Evaluation {
  return { allowed: false, determining: [], errors: [{ policy: null, message }] };
}

function sameUid(left: EntityJson, right: EntityJson): boolean {
  return JSON.stringify(left.uid) === JSON.stringify(right.uid);
}
