import {
  ANONYMOUS,
  BerthError,
  type ActionDefinition,
  type AdviceMode,
  type Hook,
  type OwnDenial,
  type PolicyAdvice,
  type PolicyAnswer,
  type PolicyMode,
  type ResourceRef,
} from '@berth/contracts';
import { resourceEntity, userEntity, type Subject } from '../cedar/entities.js';
import type { EvaluationRequest, Evaluation } from '../cedar/evaluator.js';
import { clockFacts } from '../cedar/clock-facts.js';
import type { MessageTemplate } from '../cedar/message-template.js';
import { coversAction, scopeMessage } from '../identity/scopes.js';
import { needed } from './standing.js';

export interface TokenState {
  scopes: readonly string[];
  expired: boolean;
  revoked: boolean;
}

/** Who asks, as they stand at this moment. */
export interface Asker {
  name: string;
  /** Null when there is no such user. */
  subject: Subject | null;
  /** `none`: no token is involved, the platform goes on with what this user began. `unknown`: there is no such token. */
  token: TokenState | 'none' | 'unknown';
}

export interface Question {
  action: ActionDefinition;
  hook: Hook;
  asker: Asker;
  resource: ResourceRef;
  /** The user that the resource is, when it is one and not the asker. */
  target: Subject | null;
  context: Record<string, unknown>;
  time: Date;
}

/** The policies in force, as far as an answer speaks of them. */
export interface PoliciesInForce {
  messages: ReadonlyMap<string, MessageTemplate>;
  broken: ReadonlyMap<string, string>;
  /** What evaluations name: a policy as it is bound. */
  members: ReadonlyMap<string, { policy: string; mode: PolicyMode | AdviceMode; namesAnonymous?: boolean }>;
}

/** What the policies in force say: those that decide, and those that only advise. */
export interface Judges {
  evaluate(request: EvaluationRequest): Evaluation;
  advise(request: EvaluationRequest): Evaluation;
}

export interface Verdict {
  allowed: boolean;
  policies: PolicyAnswer[];
  advice: PolicyAdvice[];
}

const denied = (id: OwnDenial, message: string): Verdict => ({
  allowed: false,
  policies: [{ id, message }],
  advice: [],
});

/** First whether the asker stands for anything, then whether the token covers it, then what the policies say. */
export function verdictOn(question: Question, inForce: PoliciesInForce, judges: Judges): Verdict {
  const { action, asker, resource } = question;
  const { subject, token } = asker;
  if (!subject) return denied('principal-unknown', `There is no user "${asker.name}".`);
  if (token === 'unknown') return denied('token-unknown', 'There is no such token.');
  if (token !== 'none') {
    if (token.revoked) return denied('token-revoked', 'The token was revoked.');
    if (token.expired) return denied('token-expired', 'The token has expired.');
    if (!coversAction(token.scopes, action)) return denied('token-scope', scopeMessage(action, token.scopes));
  }
  if (inForce.broken.size > 0 && !mayRepair(subject, action)) return brokenDenial(inForce.broken);

  const request = requestOf(question);
  const { allowed, determining, errors, disputed } = judges.evaluate(request);
  if (disputed)
    return denied(
      'decision-disputed',
      'Two evaluators do not agree about the policies here, so it is denied.',
    );
  if (errors.length > 0) return denied('evaluation-error', errorMessage(errors, inForce));
  if (allowed && subject.name === ANONYMOUS) {
    // What is said of everybody was said of those who are known.
    const meant = determining.filter((member) => inForce.members.get(member)?.namesAnonymous);
    if (meant.length === 0)
      return denied('default-deny', `No policy permits ${action.name} to who shows no token.`);
  }
  const told = new Voices(request, inForce);
  const ids = [...new Set(determining.map((member) => told.policyOf(member)))].sort();
  const advice = told.advice(judges.advise(request)).filter(({ id }) => allowed || !ids.includes(id));
  if (!allowed && determining.length === 0)
    return { ...denied('default-deny', needed(action, resource, subject)), advice };
  return { allowed, policies: ids.map((id) => ({ id, message: told.message(id) })), advice };
}

/** Tells evaluations in the words of the policies. */
class Voices {
  constructor(
    private readonly request: EvaluationRequest,
    private readonly inForce: PoliciesInForce,
  ) {}

  policyOf(member: string): string {
    return this.inForce.members.get(member)?.policy ?? member;
  }

  message(policy: string): string {
    return this.inForce.messages.get(policy)?.fill(this.request) ?? `The policy "${policy}".`;
  }

  /** Each policy once, as hard as it is bound. One that fails says so: it would deny if it were to. */
  advice({ determining, errors }: Evaluation): PolicyAdvice[] {
    const advice = new Map<string, PolicyAdvice>();
    const add = (member: string, message?: string): void => {
      const { policy: id, mode } = this.inForce.members.get(member) ?? { policy: member, mode: 'warn' };
      if (mode === 'deny' || advice.get(id)?.mode === 'warn') return;
      advice.set(id, { id, message: message ?? this.message(id), mode });
    };
    for (const member of determining) add(member);
    for (const { policy, message } of errors) {
      if (policy !== null) add(policy, `It could not be evaluated: ${message}`);
    }
    return [...advice.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  }
}

function errorMessage(errors: Evaluation['errors'], { members }: PoliciesInForce): string {
  const told = errors.map(({ policy, message }) =>
    policy === null ? message : `"${members.get(policy)?.policy ?? policy}": ${message}`,
  );
  return `Policies could not be evaluated, so it is denied. ${[...new Set(told)].join('; ')}`;
}

/** A set with a broken member denies everything but its repair: or nobody could mend it from within. */
function mayRepair(subject: Subject, action: ActionDefinition): boolean {
  return subject.admin && action.name.startsWith('policy.');
}

function brokenDenial(broken: PoliciesInForce['broken']): Verdict {
  const told = [...broken].map(([id, why]) => `"${id}": ${why}`).join('; ');
  return denied(
    'policy-broken',
    `A policy cannot be evaluated, so everything is denied until an admin mends or removes it. ${told}`,
  );
}

/** The question as policies are asked it. Its asker is someone who is known. */
export function requestOf(question: Question): EvaluationRequest {
  const { action, hook, asker, context } = question;
  const subject = asker.subject ?? { name: asker.name, kind: 'user', admin: false, teams: [] };
  const now = clockFacts(question.time);
  const facts: EvaluationRequest['context'] = { now, ...context };
  // Whatever the context holds: this one is the clock's.
  facts.now = now;
  return {
    action,
    hook,
    principal: userEntity(subject),
    resource: entityOf(question, subject),
    context: facts,
  };
}

function entityOf({ resource, target }: Question, subject: Subject): ReturnType<typeof userEntity> {
  if (resource.type !== 'User') return resourceEntity(resource);
  if (resource.id === subject.name) return userEntity(subject);
  // Someone who does not exist has no roles; whoever may act on them learns so from the owner of users.
  return userEntity(target ?? { name: resource.id, kind: 'user', admin: false, teams: [] });
}

/** The facts of a hook as the catalog has them: what is unknown is left out, what is missing is an error. */
export function factsOf(action: ActionDefinition, hook: Hook, context: unknown): Record<string, unknown> {
  const parsed = (hook === 'before' ? action.context : action.outcome).safeParse(context);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new BerthError('VALIDATION_FAILED', `The facts of ${action.name}.${hook} are not complete. ${told}`);
}
