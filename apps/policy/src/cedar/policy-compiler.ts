import type { DetailedError, PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import { Authorizer, type Cedar, NotCompilable } from '@berth/cedar';
import { BerthError } from '@berth/contracts';
import { CedarDied, type CedarProcess } from './cedar-process.js';
import { MAX_EXPRESSION_DEPTH, measureConditions } from './conditions.js';
import { MessageTemplate } from './message-template.js';
import { unknownPlaceholders } from './placeholders.js';
import { cedarSchema } from './schema.js';
import { type Effect, scanText } from './text-limits.js';
import { positionAtByte, type TextProblem } from './text-position.js';

/** A policy that holds against the schema. */
export interface CompiledPolicy {
  id: string;
  text: string;
  effect: Effect;
  /** From `@message`. */
  message: string;
  /** From `@owner`. */
  owner: string | null;
  json: PolicyJson;
}

/** What Cedar has read texts as, each of which holds against the schema. */
export interface Readings {
  recall(texts: readonly string[]): Promise<ReadonlyMap<string, PolicyJson>>;
  keep(readings: readonly Pick<CompiledPolicy, 'text' | 'json'>[]): Promise<void>;
}

/** A stored set: what of it can be evaluated, and what cannot, with the reason. */
export interface CompiledSet {
  policies: ReadonlyMap<string, CompiledPolicy>;
  broken: ReadonlyMap<string, string>;
}

/** `POLICY_INVALID` with the problems listed under `errors`, each with its line and column where there is one. */
export function invalidPolicy(id: string, problems: TextProblem[]): BerthError {
  const told = problems.map(({ message, line, column }) =>
    line === undefined ? message : `line ${line}, column ${column}: ${message}`,
  );
  return new BerthError('POLICY_INVALID', `The policy "${id}" is not valid. ${told.join('; ')}`, {
    errors: problems,
  });
}

/**
 * The effect that a text claims to have, without parsing it: enough to ask whether its author may apply it at all. Throws
 * POLICY_INVALID when the text is too large, too deep, or no policy.
 */
export function claimedEffect(id: string, text: string): Effect {
  const { effect, problem } = scanText(text);
  if (problem) throw invalidPolicy(id, [problem]);
  if (!effect)
    throw invalidPolicy(id, [{ message: 'A policy begins with "permit" or "forbid".', line: 1, column: 1 }]);
  return effect;
}

/** Parses and validates policies, in a process where bad text harms nobody. */
export class PolicyCompiler {
  private readonly schema: SchemaJson<string> = cedarSchema();
  /** What was found valid, so that a reload has to look at what is new only. */
  private readonly known = new Map<string, CompiledPolicy>();
  private compiling: Promise<unknown> = Promise.resolve();

  /** `readings`: what was found valid before, if that is kept. */
  constructor(
    private readonly cedar: CedarProcess,
    private readonly readings?: Readings,
  ) {}

  /** Throws POLICY_INVALID, with every problem and its place. */
  async compile(id: string, text: string): Promise<CompiledPolicy> {
    const result = (await this.compileAll(new Map([[id, text]]))).get(id);
    if (!result || result instanceof BerthError) throw result ?? new Error(`${id} was not compiled`);
    return result;
  }

  /** Compiles a stored set. A policy may be older than this version's schema, and not hold against it any more. */
  compileSet(texts: ReadonlyMap<string, string>): Promise<CompiledSet> {
    // One after the other: what one of them found, the next one knows.
    const compiling = this.compiling.then(() => this.compileUnknown(texts));
    this.compiling = compiling.catch(() => undefined);
    return compiling;
  }

  private async compileUnknown(texts: ReadonlyMap<string, string>): Promise<CompiledSet> {
    const unknown = new Map([...texts].filter(([id, text]) => this.known.get(id)?.text !== text));
    const recalled = await this.recall(unknown);
    for (const id of recalled.keys()) unknown.delete(id);
    const read = await this.compileAll(unknown);
    const results = new Map([...recalled, ...read]);
    const policies = new Map<string, CompiledPolicy>();
    const broken = new Map<string, string>();
    for (const id of this.known.keys()) if (!texts.has(id)) this.known.delete(id);
    for (const id of texts.keys()) {
      const result = results.get(id) ?? this.known.get(id);
      if (!result || result instanceof BerthError) {
        broken.set(id, result?.message ?? 'It was not compiled.');
        continue;
      }
      this.known.set(id, result);
      policies.set(id, result);
    }
    await this.readings?.keep([...read.values()].flatMap((one) => (one instanceof BerthError ? [] : [one])));
    return { policies, broken };
  }

  /** Those that Cedar has read before; the rules of our own hold for them all the same. */
  private async recall(
    texts: ReadonlyMap<string, string>,
  ): Promise<Map<string, CompiledPolicy | BerthError>> {
    const known = await this.readings?.recall([...texts.values()]);
    const results = new Map<string, CompiledPolicy | BerthError>();
    for (const [id, text] of texts) {
      const json = known?.get(text);
      if (json) attempt(results, id, () => readPolicy(id, text, json));
    }
    return results;
  }

  /** An expression of a policy that was compiled, as text. */
  async conditionText(body: unknown): Promise<string> {
    const all = { op: 'All' } as const;
    const conditions = [{ kind: 'when', body }] as PolicyJson['conditions'];
    const policy: PolicyJson = { effect: 'permit', principal: all, action: all, resource: all, conditions };
    const answer = await this.cedar.call('policyToText', policy);
    if (answer.type === 'failure') return JSON.stringify(body);
    return answer.text.replace(/^[^{]*\{\s*/, '').replace(/\s*\};?\s*$/, '');
  }

  /** The text laid out as Cedar does it; its words stay as they are, comments too. Throws POLICY_INVALID. */
  async format(text: string): Promise<string> {
    claimedEffect('text', text);
    const answer = await this.cedar
      .call('formatPolicies', { policyText: text, lineWidth: 100, indentWidth: 2 })
      .catch((error: unknown) => {
        throw refusalOf('text', error);
      });
    if (answer.type === 'failure') throw invalidPolicy('text', problemsOf(text, answer.errors));
    return answer.formatted_policy;
  }

  private async compileAll(
    texts: ReadonlyMap<string, string>,
  ): Promise<Map<string, CompiledPolicy | BerthError>> {
    const results = new Map<string, CompiledPolicy | BerthError>();
    for (const part of inParts([...texts])) {
      const parsed = await this.parseAll(part);
      const valid = [...parsed.values()].flatMap((one) => (one instanceof BerthError ? [] : [one]));
      for (const [id, problems] of await this.validate(valid)) parsed.set(id, invalidPolicy(id, problems));
      for (const [id, result] of parsed) results.set(id, result);
    }
    return results;
  }

  /** Together, and one by one only where one of them is too much for the process that reads them. */
  private async parseAll(
    texts: readonly (readonly [id: string, text: string])[],
  ): Promise<Map<string, CompiledPolicy | BerthError>> {
    const results = new Map<string, CompiledPolicy | BerthError>();
    for (const [id, text] of texts) attempt(results, id, () => void claimedEffect(id, text));
    const readable = texts.filter(([id]) => !results.has(id));
    try {
      const calls = readable.map(([, text]): [string] => [text]);
      const jsons = await this.cedar.callAll('policyToJson', calls);
      // What is no policy by itself may be several, or a template: that is told in words of its own.
      const others = calls.filter((_call, index) => jsons[index].type === 'failure');
      const parts = others.length > 0 ? await this.cedar.callAll('policySetTextToParts', others) : [];
      readable.forEach(([id, text], index) => {
        const json = jsons[index];
        attempt(results, id, () => {
          if (json.type === 'failure') refuse(id, text, parts[others.indexOf(calls[index])], json);
          return readPolicy(id, text, json.json);
        });
      });
      return results;
    } catch (error) {
      if (!(error instanceof CedarDied)) throw error;
      if (readable.length === 1) return results.set(readable[0][0], refusalOf(readable[0][0], error));
      for (const one of readable)
        for (const [id, result] of await this.parseAll([one])) results.set(id, result);
      return results;
    }
  }

  /**
   * Types, attributes, actions; what would never match; letters that look like others. Together, as most of the time goes
   * into Cedar's reading of the schema; one by one only when that is too much for its process.
   */
  private async validate(policies: readonly CompiledPolicy[]): Promise<Map<string, TextProblem[]>> {
    const problems = new Map<string, TextProblem[]>();
    if (policies.length === 0) return problems;
    try {
      const answer = await this.cedar.call('validate', {
        schema: this.schema,
        policies: { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) },
      });
      if (answer.type === 'failure') {
        throw new Error(`the schema is not valid: ${answer.errors.map(({ message }) => message).join('; ')}`);
      }
      const texts = new Map(policies.map(({ id, text }) => [id, text]));
      for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
        const found = problems.get(policyId) ?? [];
        problems.set(policyId, [...found, ...problemsOf(texts.get(policyId) ?? '', [error])]);
      }
      return problems;
    } catch (error) {
      if (!(error instanceof CedarDied)) throw error;
      if (policies.length === 1) return problems.set(policies[0].id, [TOO_COMPLICATED]);
      for (const policy of policies) {
        for (const [id, found] of await this.validate([policy])) problems.set(id, found);
      }
      return problems;
    }
  }
}

/** Puts down what comes of it: a policy, or why there is none. */
function attempt(
  results: Map<string, CompiledPolicy | BerthError>,
  id: string,
  work: () => CompiledPolicy | void,
): void {
  try {
    const policy = work();
    if (policy) results.set(id, policy);
  } catch (error) {
    results.set(id, refusalOf(id, error));
  }
}

/** Throws POLICY_INVALID, with what kept Cedar from reading it as one policy. */
function refuse(
  id: string,
  text: string,
  parts: ReturnType<Cedar['policySetTextToParts']>,
  answer: Extract<ReturnType<Cedar['policyToJson']>, { type: 'failure' }>,
): never {
  if (parts.type === 'failure') throw invalidPolicy(id, problemsOf(text, parts.errors));
  if (parts.policy_templates.length > 0) {
    throw invalidPolicy(id, [{ message: 'It is a template: ?principal and ?resource have no value here.' }]);
  }
  if (parts.policies.length !== 1) {
    throw invalidPolicy(id, [
      { message: `It holds ${parts.policies.length} policies; apply them one by one.` },
    ]);
  }
  throw invalidPolicy(id, problemsOf(text, answer.errors));
}

/** What Cedar has read, as a policy of one's own. Throws POLICY_INVALID. */
function readPolicy(id: string, text: string, json: PolicyJson): CompiledPolicy {
  const { depth, inexact } = measureConditions(json.conditions);
  if (depth > MAX_EXPRESSION_DEPTH) {
    throw invalidPolicy(id, [
      {
        message:
          `Its conditions stand ${depth} expressions deep, and ${MAX_EXPRESSION_DEPTH} are allowed; each link of a chain counts. ` +
          'Use a set, as in ["a", "b"].contains(x), or several policies.',
      },
    ]);
  }
  if (inexact !== null) {
    throw invalidPolicy(id, [{ message: `Whole numbers may not be beyond ${Number.MAX_SAFE_INTEGER}.` }]);
  }
  const unknown = undecidable(id, json);
  if (unknown !== null) throw invalidPolicy(id, [{ message: unknown }]);
  const annotations = json.annotations ?? {};
  if (annotations.id !== undefined && annotations.id !== id) {
    throw invalidPolicy(id, [
      { message: `Its @id says "${annotations.id}"; leave it out, or make it "${id}".` },
    ]);
  }
  const message = annotations.message?.trim() || `The policy "${id}".`;
  const unfilled = unknownPlaceholders(text, new MessageTemplate(message), json.action);
  if (unfilled.length > 0) throw invalidPolicy(id, unfilled);
  return { id, text, effect: json.effect, message, owner: annotations.owner?.trim() || null, json };
}

/** What in it no instance could decide by: it would leave them all without policies. */
function undecidable(id: string, json: PolicyJson): string | null {
  try {
    new Authorizer([[id, json]]);
    return null;
  } catch (error) {
    if (error instanceof NotCompilable) return error.message;
    throw error;
  }
}

/** As many as are read at once: what waits meanwhile does not wait long. */
const PART = 250;

function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PART) }, (_, part) =>
    all.slice(part * PART, (part + 1) * PART),
  );
}

const TOO_COMPLICATED: TextProblem = {
  message: 'It is too complicated to be read. Split it into several policies.',
};

function refusalOf(id: string, error: unknown): BerthError {
  if (error instanceof BerthError && error.code === 'POLICY_INVALID') return error;
  if (error instanceof CedarDied) return invalidPolicy(id, [TOO_COMPLICATED]);
  throw error;
}

/** Cedar's errors with their places, deepest cause last, and its advice beside each. */
function problemsOf(text: string, errors: readonly DetailedError[]): TextProblem[] {
  return errors.flatMap((error) => {
    const place = error.sourceLocations?.[0];
    const message = error.help ? `${error.message} (${error.help})` : error.message;
    return [
      place ? { message, ...positionAtByte(text, place.start) } : { message },
      ...problemsOf(text, error.related ?? []),
    ];
  });
}
