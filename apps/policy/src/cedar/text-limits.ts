import { positionAt, type TextProblem } from './text-position.js';

/**
 * What a policy's text may come to before any parser sees it. Cedar's parser and evaluator recurse: 140 nested
 * parentheses or some hundred chained operators end in a memory fault, after which the whole instance is dead.
 */
export const TEXT_LIMITS = { bytes: 65_536, depth: 64, operators: 1_000 } as const;

/**
 * Comments and strings (one that is never closed reaches to the end, or looking for its end would cost the square of the
 * length), and outside of them: brackets, and whatever makes an expression larger.
 */
const TOKENS =
  /\/\/[^\n]*|"(?:\\[\s\S]|[^"\\])*"?|[([{]|[)\]}]|&&|\|\||[=!<>]=|[<>+\-*!.]|\b(?:if|in|has|like|is)\b|\b(?:permit|forbid)\b/g;

export type Effect = 'permit' | 'forbid';

export interface Scan {
  /** The first word that says so; null when the text is no policy at all. */
  effect: Effect | null;
  problem: TextProblem | null;
}

/** Reads a text once, without a parser and without recursion: cheap, whatever was written. */
export function scanText(text: string): Scan {
  const bytes = Buffer.byteLength(text);
  if (bytes > TEXT_LIMITS.bytes) {
    return refused(text, 0, `has ${bytes} bytes; ${TEXT_LIMITS.bytes} are allowed`);
  }
  let effect: Effect | null = null;
  let depth = 0;
  let operators = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token.startsWith('//') || token.startsWith('"')) continue;
    if (token === 'permit' || token === 'forbid') effect ??= token;
    else if ('([{'.includes(token)) depth += 1;
    else if (')]}'.includes(token)) depth -= 1;
    else operators += 1;
    if (depth > TEXT_LIMITS.depth) {
      return refused(text, index, `nests brackets deeper than ${TEXT_LIMITS.depth}`);
    }
    if (operators > TEXT_LIMITS.operators) {
      return refused(
        text,
        index,
        `has more than ${TEXT_LIMITS.operators} operators; split it into several policies`,
      );
    }
  }
  return { effect, problem: null };
}

function refused(text: string, index: number, message: string): Scan {
  return { effect: null, problem: { message: `The policy ${message}.`, ...positionAt(text, index) } };
}
