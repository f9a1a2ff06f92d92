import { couldBeReference, interpolate } from '../compose/index.js';
import { invalid, unsupported, writeInstruction, type Instruction } from './dockerfile.js';

export interface PlanOptions {
  /** `NAME=value`. */
  arguments: readonly string[];
  target?: string;
  /** `linux/amd64`, of the engine. */
  platform: string;
}

/** What a build does, as far as it can be told before. */
export interface BuildPlan {
  /** References of the images that it starts or copies from, as written, with their arguments put in. */
  bases: string[];
  /** Those of the arguments that it declares, by name: others are not given to the engine. */
  arguments: Record<string, string>;
  /** How many RUN instructions it has. */
  commands: number;
  /** The Dockerfile for the engine: `pinned` says what stands for each of the bases. */
  write(pinned: ReadonlyMap<string, string>): string;
}

/** The flags that the engine's plain builder knows; `link` makes no other image, and is left out. */
const FLAGS: Record<string, readonly string[]> = {
  FROM: ['platform'],
  COPY: ['from', 'chown', 'link'],
  ADD: ['chown', 'link'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'retries'],
};
/** The platform of the engine, under these names, is the only one that is built for. */
const PLATFORMS = new Set(['$BUILDPLATFORM', '${BUILDPLATFORM}', '$TARGETPLATFORM', '${TARGETPLATFORM}']);
const FROM = /^(\S+)(?:\s+as\s+([a-z][\w.-]*))?$/i;
const NUMBER = /^\d+$/;
/** What an image may have builds that start from it do first: what fetches nothing, and takes from the context alone. */
const TRIGGER =
  /^(?:(?:RUN|CMD|ENTRYPOINT|ENV|EXPOSE|LABEL|USER|VOLUME|WORKDIR|ARG|STOPSIGNAL)[ \t]|COPY[ \t]+[^\s-])[^\r\n]*$/i;

interface Stage {
  name: string | null;
  instructions: Instruction[];
  /** A reference; null for another stage, or for `scratch`. */
  base: string | null;
}

/**
 * Finds out what a build asks for, up to the stage that is wanted. Throws DOCKERFILE_INVALID, or DOCKERFILE_UNSUPPORTED for what would
 * go round Berth (what `ADD` fetches, the engine would fetch, from where no policy was asked about) or what the engine's builder has not.
 */
export function planBuild(instructions: readonly Instruction[], options: PlanOptions): BuildPlan {
  for (const instruction of instructions) check(instruction);
  const given = argumentsOf(options);
  const globals = globalArguments(instructions, given);
  const { initial, stages } = stagesOf(instructions, globals);
  const wanted = upTo(stages, options.target);
  const body = wanted.flatMap((stage) => stage.instructions);
  const bases = new Set<string>();
  const written: { instruction: Instruction; base: string | null }[] = [];
  for (const [index, stage] of wanted.entries()) {
    for (const instruction of stage.instructions) {
      const base =
        instruction.keyword === 'FROM' ? stage.base : copiedFrom(instruction, wanted.slice(0, index));
      if (base !== null) bases.add(base);
      written.push({ instruction, base });
    }
  }
  const declared = new Set([...initial, ...body].flatMap(declaredBy));
  return {
    bases: [...bases],
    arguments: Object.fromEntries([...given].filter(([name]) => declared.has(name))),
    commands: body.filter(({ keyword }) => keyword === 'RUN').length,
    write: (pinned) => {
      const lines = written.map(({ instruction, base }) =>
        writeInstruction(base === null ? bare(instruction) : pin(instruction, base, pinned)),
      );
      return [...initial.map(writeInstruction), ...lines, ''].join('\n');
    },
  };
}

/** Of what a base image has its builds do first: of it nothing can be written anew. */
export function refuseTriggers(base: string, triggers: readonly string[]): void {
  for (const trigger of triggers) {
    if (TRIGGER.test(trigger.trimStart())) continue;
    throw unsupported(
      1,
      `the image "${base}" would begin a build with "${trigger.slice(0, 80)}" (ONBUILD), which is not supported`,
    );
  }
}

function check(instruction: Instruction): void {
  const { keyword, flags, rest, line } = instruction;
  const known = FLAGS[keyword] ?? [];
  for (const name of flags.keys()) {
    if (known.includes(name)) continue;
    throw unsupported(line, `${keyword} --${name} is not supported (it takes BuildKit)`);
  }
  if (keyword === 'ADD') refuseFetching(rest, line);
  if (keyword === 'ONBUILD' && !TRIGGER.test(rest))
    throw unsupported(line, 'ONBUILD may stand before RUN, a COPY without flags, and what sets the config');
}

/** A source may come together only in the engine, from variables and quotes: these are refused, too. */
function refuseFetching(rest: string, line: number): void {
  let words: unknown = null;
  try {
    words = JSON.parse(rest);
  } catch {
    // Not the JSON form.
  }
  const texts: unknown[] = Array.isArray(words) ? words : [rest];
  if (texts.every((text) => typeof text === 'string' && !/:\/\/|[$"'\\]/.test(text))) return;
  throw unsupported(line, 'ADD takes plain paths of the context: fetch what lies elsewhere with RUN');
}

function argumentsOf({ arguments: given, platform }: PlanOptions): Map<string, string> {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  const builtIn = (side: string): [string, string][] => [
    [`${side}PLATFORM`, platform],
    [`${side}OS`, os],
    [`${side}ARCH`, architecture],
    [`${side}VARIANT`, variant],
  ];
  const own = given.map((text): [string, string] => {
    const at = text.indexOf('=');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return new Map([...builtIn('BUILD'), ...builtIn('TARGET'), ...own]);
}

function declaredBy({ keyword, rest }: Instruction): string[] {
  return keyword === 'ARG' ? rest.split(/\s+/).map((word) => word.split('=', 1)[0] ?? '') : [];
}

/** Those before the first FROM, which alone count in a FROM. */
function globalArguments(
  instructions: readonly Instruction[],
  given: ReadonlyMap<string, string>,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { keyword, rest, line } of instructions) {
    if (keyword !== 'ARG') break;
    const [, name = '', , written] = /^([A-Za-z_]\w*)(=(.*))?$/.exec(rest) ?? [];
    if (name === '')
      throw unsupported(line, 'before the first FROM, an ARG declares one argument: ARG NAME=value');
    const value =
      given.get(name) ?? (written === undefined ? undefined : expand(unquoted(written), values, line));
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}

function expand(text: string, values: Record<string, string>, line: number): string {
  try {
    return interpolate(text, values).text;
  } catch (error) {
    throw invalid(line, (error as Error).message);
  }
}

function stagesOf(
  instructions: readonly Instruction[],
  globals: Record<string, string>,
): { initial: Instruction[]; stages: Stage[] } {
  const first = instructions.findIndex(({ keyword }) => keyword === 'FROM');
  const initial = instructions.slice(0, Math.max(first, 0));
  const odd = initial.find(({ keyword }) => keyword !== 'ARG');
  if (first < 0) throw invalid(1, 'there is no FROM');
  if (odd) throw invalid(odd.line, `only ARG may stand before the first FROM, not ${odd.keyword}`);
  const stages: Stage[] = [];
  for (const instruction of instructions.slice(first)) {
    if (instruction.keyword === 'FROM') stages.push(stageOf(instruction, stages, globals));
    else stages.at(-1)?.instructions.push(instruction);
  }
  return { initial, stages };
}

function stageOf(from: Instruction, before: readonly Stage[], globals: Record<string, string>): Stage {
  const { rest, flags, line } = from;
  const platform = flags.get('platform');
  if (platform !== undefined && !PLATFORMS.has(platform))
    throw unsupported(line, `images are built for the platform of the engine alone, not for "${platform}"`);
  const [, written = '', name = null] = FROM.exec(rest) ?? [];
  const image = expand(written, globals, line);
  if (!couldBeReference(image)) throw invalid(line, `"${image.slice(0, 80)}" is no image reference`);
  const isStage = stageNamed(before, image) !== undefined;
  const base = isStage || image === 'scratch' ? null : image;
  const plain = { ...from, flags: new Map<string, string>(), rest: name ? `${image} AS ${name}` : image };
  return { name: name?.toLowerCase() ?? null, instructions: [plain], base };
}

function stageNamed(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.find((stage) => stage.name === name.toLowerCase());
}

function upTo(stages: readonly Stage[], target: string | undefined): Stage[] {
  if (target === undefined) return [...stages];
  const at = NUMBER.test(target)
    ? Number(target)
    : stages.findIndex(({ name }) => name === target.toLowerCase());
  if (at < 0 || at >= stages.length) throw invalid(1, `there is no stage "${target}"`);
  return stages.slice(0, at + 1);
}

/** The image that a COPY takes from; null where it takes from the context, or from a stage before. */
function copiedFrom({ keyword, flags, line }: Instruction, before: readonly Stage[]): string | null {
  const from = keyword === 'COPY' ? flags.get('from') : undefined;
  if (from === undefined || stageNamed(before, from)) return null;
  if (NUMBER.test(from)) {
    if (Number(from) < before.length) return null;
    throw invalid(line, `there is no stage ${from} before this one`);
  }
  if (!couldBeReference(from)) throw invalid(line, `"${from.slice(0, 80)}" is no image reference`);
  return from;
}

function bare(instruction: Instruction): Instruction {
  const flags = [...instruction.flags].filter(([name]) => name !== 'link');
  return { ...instruction, flags: new Map(flags) };
}

function pin(instruction: Instruction, base: string, pinned: ReadonlyMap<string, string>): Instruction {
  const image = pinned.get(base);
  if (image === undefined) throw new Error(`nothing stands for ${base}`);
  if (instruction.keyword === 'FROM')
    return { ...instruction, rest: instruction.rest.replace(base, () => image) };
  return bare({ ...instruction, flags: new Map([...instruction.flags, ['from', image]]) });
}
