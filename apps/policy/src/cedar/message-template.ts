import { EntityRef, type Value } from '@berth/cedar';
import type { EvaluationRequest } from './evaluator.js';

const PLACEHOLDER = /\{((?:principal|resource|context)\.[A-Za-z_][A-Za-z0-9_]*|action)\}/g;
const MOST_CHARACTERS = 200;
const MOST_MEMBERS = 10;

/** A message with values of the decision in it, as in `{principal.name} may not use {context.tags}.` Other braces are only braces. */
export class MessageTemplate {
  readonly placeholders: ReadonlySet<string>;

  constructor(private readonly text: string) {
    this.placeholders = new Set(Array.from(text.matchAll(PLACEHOLDER), ([, name]) => name));
  }

  fill(request: EvaluationRequest): string {
    if (this.placeholders.size === 0) return this.text;
    return this.text.replace(PLACEHOLDER, (_placeholder, name: string) => told(valueOf(name, request)));
  }
}

function valueOf(
  name: string,
  { action, principal, resource, context }: EvaluationRequest,
): Value | undefined {
  if (name === 'action') return action.name;
  const [variable, attribute] = name.split('.');
  const record = { principal: principal.attributes, resource: resource.attributes, context }[variable] ?? {};
  return Object.hasOwn(record, attribute) ? (record[attribute] as Value) : undefined;
}

/** It may be what a stranger wrote: no line of its own, no control of a terminal, and not without end. */
function told(value: Value | undefined): string {
  if (value === undefined) return 'none';
  if (value instanceof EntityRef) return told(value.id);
  if (Array.isArray(value)) {
    const members = value as readonly Value[];
    const first = members.slice(0, MOST_MEMBERS).map(told).join(', ');
    const more = members.length - MOST_MEMBERS;
    return members.length === 0 ? 'none' : more > 0 ? `${first} and ${more} more` : first;
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const printable = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\uFFFD');
  const characters = [...printable];
  return characters.length > MOST_CHARACTERS
    ? `${characters.slice(0, MOST_CHARACTERS).join('')}…`
    : printable;
}
