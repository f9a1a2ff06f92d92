import { NotCompilable } from './not-compilable.js';

/** What `like` matches a text against: literal parts with anything between them. */
export function compilePattern(pattern: unknown): (text: string) => boolean {
  const parts = [''];
  for (const element of Array.isArray(pattern) ? (pattern as unknown[]) : [pattern]) {
    const literal = (element as { Literal?: unknown } | null)?.Literal;
    if (element === 'Wildcard') parts.push('');
    else if (typeof literal === 'string') parts[parts.length - 1] += literal;
    else throw new NotCompilable(`a pattern holds ${JSON.stringify(element)}`);
  }
  if (parts.length === 1) return (text) => text === parts[0];
  const [first] = parts;
  const last = parts[parts.length - 1];
  const between = parts.slice(1, -1).filter((part) => part !== '');
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const end = text.length - last.length;
    let from = first.length;
    for (const part of between) {
      const found = text.indexOf(part, from);
      if (found < 0 || found + part.length > end) return false;
      from = found + part.length;
    }
    return true;
  };
}
