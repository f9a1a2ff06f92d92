import { Lexer } from 'yaml';

/** Nesting that no Compose file needs, and that the recursive composer of the YAML library survives. */
export const MAX_DEPTH = 64;
const MAX_TOKENS = 150_000;
const MAX_INDENT = 400;
const MARKERS = new Set(['-', '?', ':']);

export interface GuardFinding {
  offset: number;
  message: string;
}

/**
 * Looks over the tokens of a YAML text before it is parsed. The lexer is linear and keeps no stack, while parser and
 * composer recurse and build regular expressions as long as a run of markers: a line of 500,000 `- ` ends the process
 * with an allocation failure that nothing can catch. Returns what makes it refuse, or null.
 */
export function guardYaml(text: string): GuardFinding | null {
  let offset = 0;
  let tokens = 0;
  let flow = 0;
  let run = 0;
  let atLineStart = true;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    const first = token[0];
    if (first === '[' || first === '{') flow += 1;
    else if (first === ']' || first === '}') flow = Math.max(0, flow - 1);
    if (isMarker(token)) run += 1;
    else if (first !== ' ' && first !== '\n' && first !== '\r' && first !== '#') run = 0;
    if (flow > MAX_DEPTH || run > MAX_DEPTH)
      return { offset, message: `nested more than ${MAX_DEPTH} levels deep` };
    if (tokens > MAX_TOKENS) return { offset, message: `more than ${MAX_TOKENS} YAML tokens` };
    if (atLineStart && first === ' ' && token.length > MAX_INDENT)
      return { offset, message: `indented by more than ${MAX_INDENT} columns` };
    atLineStart = first === '\n' || first === '\r';
    // The lexer marks the start of a document and of a scalar with control characters that are not in the text.
    if (first !== '\u0002' && first !== '\u001f' && first !== '\u0018') offset += token.length;
  }
  return null;
}

/** Block indicators, and the properties (anchors and tags) that may stand before a node in any number. */
function isMarker(token: string): boolean {
  return MARKERS.has(token) || token[0] === '&' || token[0] === '!';
}
