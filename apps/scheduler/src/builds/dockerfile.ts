import { BerthError } from '@berth/contracts';

/** Bytes. Real ones have some kilobytes. */
export const DOCKERFILE_LIMIT = 256 * 1024;
const MOST_INSTRUCTIONS = 1_000;

/** One instruction, with its lines joined and its flags (`--name=value`) taken off. */
export interface Instruction {
  /** In capitals. */
  keyword: string;
  flags: ReadonlyMap<string, string>;
  /** What follows; never holds a line break. */
  rest: string;
  /** Where it begins, from 1. */
  line: number;
}

const KEYWORDS = new Set([
  ...[
    'ADD',
    'ARG',
    'CMD',
    'COPY',
    'ENTRYPOINT',
    'ENV',
    'EXPOSE',
    'FROM',
    'HEALTHCHECK',
    'LABEL',
    'MAINTAINER',
  ],
  ...['ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'],
]);
const DIRECTIVE = /^#\s*([a-zA-Z][\w-]*)\s*=\s*(\S+)/;
const CONTINUED = /(?<!\\)\\[ \t]*$/;
/** A word such as `<<EOF`, `<<-"EOF"` (docs.docker.com/reference/dockerfile, "Here-documents"). */
const HERE_DOCUMENT = /(?:^|\s)\d*<<-?["']?[A-Za-z_]/;

/**
 * Reads a Dockerfile (docs.docker.com/reference/dockerfile, "Format"). What is built is written anew from what is read here, so the
 * engine cannot read it otherwise. Throws DOCKERFILE_INVALID or DOCKERFILE_UNSUPPORTED, with the line.
 */
export function readDockerfile(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  refuseDirectives(lines);
  const instructions: Instruction[] = [];
  let begun = null as { text: string; line: number } | null;
  for (const [index, line] of lines.entries()) {
    // Within an instruction, too: the field's builders leave out comments and empty lines there.
    if (/^\s*(?:#|$)/.test(line)) continue;
    begun = { text: (begun?.text ?? '') + line.replace(CONTINUED, ''), line: begun?.line ?? index + 1 };
    if (CONTINUED.test(line)) continue;
    instructions.push(readInstruction(begun.text, begun.line));
    begun = null;
    if (instructions.length > MOST_INSTRUCTIONS)
      throw invalid(index + 1, `more than ${MOST_INSTRUCTIONS} instructions`);
  }
  if (begun) throw invalid(begun.line, 'the last line ends in "\\", and nothing follows');
  return instructions;
}

/** As the engine is given it: one line, which it can only read as what was read here. */
export function writeInstruction({ keyword, flags, rest }: Omit<Instruction, 'line'>): string {
  const written = [...flags].map(([name, value]) => `--${name}=${value}`);
  return [keyword, ...written, rest].filter((part) => part !== '').join(' ');
}

export function invalid(line: number, message: string): BerthError {
  return new BerthError('DOCKERFILE_INVALID', `Line ${line} of the Dockerfile: ${message}.`, { line });
}

export function unsupported(line: number, message: string): BerthError {
  return new BerthError('DOCKERFILE_UNSUPPORTED', `Line ${line} of the Dockerfile: ${message}.`, { line });
}

/** They stand before all else. `syntax` names a builder to be fetched, and its features beyond the plain ones are refused where they stand. */
function refuseDirectives(lines: string[]): void {
  for (const [index, line] of lines.entries()) {
    const [, name, value] = DIRECTIVE.exec(line) ?? [];
    if (name === undefined) return;
    if (name.toLowerCase() === 'escape' && value !== '\\')
      throw unsupported(index + 1, 'only "\\" may be the escape character');
  }
}

function readInstruction(text: string, line: number): Instruction {
  if (/[\0\r\n\v\f\u0085\u2028\u2029]/.test(text)) throw invalid(line, 'there is a control character in it');
  const [, word = '', after = ''] = /^\s*(\S+)\s*(.*)$/.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!KEYWORDS.has(keyword)) throw invalid(line, `"${word.slice(0, 40)}" is no instruction`);
  const { flags, rest } = takeFlags(after.trim());
  if (rest === '') throw invalid(line, `nothing follows ${keyword}`);
  // It would go on in the next line.
  if (rest.endsWith('\\')) throw invalid(line, 'it ends in "\\"');
  if (['RUN', 'COPY', 'ADD'].includes(keyword) && HERE_DOCUMENT.test(rest))
    throw unsupported(line, 'here-documents are not supported; put the text into a file of the context');
  return { keyword, flags, rest, line };
}

function takeFlags(text: string): { flags: Map<string, string>; rest: string } {
  const flags = new Map<string, string>();
  let rest = text;
  for (;;) {
    const [whole, name, value = ''] = /^--([a-z][\w-]*)(?:=(\S*))?(?:\s+|$)/.exec(rest) ?? [];
    if (whole === undefined || name === undefined) return { flags, rest };
    flags.set(name, value);
    rest = rest.slice(whole.length);
  }
}
