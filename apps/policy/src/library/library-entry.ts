import { parse } from 'yaml';
import { z } from 'zod';
import {
  BerthError,
  LibraryParameter,
  type LibraryPolicy,
  type ParameterValue,
  PolicyCase,
} from '@berth/contracts';

/** A file of the library, named after the policy. */
const Entry = z.strictObject({
  summary: z.string(),
  parameters: z.record(z.string().regex(/^[a-z][A-Za-z]*$/), LibraryParameter).default({}),
  policy: z.string(),
  cases: z.array(PolicyCase).min(2),
});

export function readEntry(id: string, file: string): LibraryPolicy {
  const { policy: text, ...entry } = Entry.parse(parse(file));
  return { id, ...entry, text };
}

/** The text of a policy with values for its parameters. Throws VALIDATION_FAILED for those that it has not, or of another type. */
export function render(
  { id: usual, text, parameters }: LibraryPolicy,
  id: string,
  given: Readonly<Record<string, ParameterValue>>,
): string {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(parameters, name));
  if (unknown.length > 0) {
    const known = Object.keys(parameters).join(', ') || 'none';
    throw new BerthError(
      'VALIDATION_FAILED',
      `The policy "${usual}" has no parameter ${unknown.join(', ')}. There are: ${known}.`,
    );
  }
  const filled = text.replace(/\$\{([A-Za-z]+)\}/g, (_placeholder, name: string) => {
    const { type, default: value } = parameters[name];
    return literal(name, type, given[name] ?? value);
  });
  return `@id("${id}")\n${filled}`;
}

function literal(name: string, type: 'number' | 'text' | 'set', value: ParameterValue): string {
  if (type === 'number' && typeof value === 'number') return String(value);
  // Values hold no quotes and no backslashes: see `ParameterValue`.
  if (type === 'text' && typeof value === 'string') return `"${value}"`;
  if (type === 'set' && Array.isArray(value)) return `[${value.map((one) => `"${one}"`).join(', ')}]`;
  throw new BerthError('VALIDATION_FAILED', `The parameter "${name}" is a ${type}.`);
}
