/** Variables of an environment, by name. */
export type Variables = Readonly<Record<string, string>>;

export interface Interpolation {
  text: string;
  /** Names that are not set and have no default: empty text stands for them, as the Compose Specification says. */
  unset: string[];
}

/** What is wrong with the use of a variable; the message is for a person. */
export class InterpolationError extends Error {
  override readonly name = 'InterpolationError';
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const MAX_LENGTH = 131_072;
const MAX_NESTING = 16;

/**
 * Puts variables into text (Compose Specification, 12-interpolation.md): `$VAR`, `${VAR}`, `:-` and `-` for a default,
 * `:?` and `?` for a demand, `:+` and `+` for a replacement, each nested at will, and `$$` for a dollar sign.
 */
export function interpolate(source: string, variables: Variables): Interpolation {
  if (!source.includes('$')) return { text: source, unset: [] };
  const reader = new Interpolator(source, variables);
  const text = reader.read(false, 0, true);
  return { text, unset: [...reader.unset] };
}

class Interpolator {
  readonly unset = new Set<string>();
  private position = 0;
  private written = 0;

  constructor(
    private readonly source: string,
    private readonly variables: Variables,
  ) {}

  /** Reads to the end, or to the `}` that closes a default. `wanted` is false where the outcome is thrown away. */
  read(untilBrace: boolean, nesting: number, wanted: boolean): string {
    if (nesting > MAX_NESTING)
      throw new InterpolationError(`defaults are nested more than ${MAX_NESTING} deep`);
    let text = '';
    while (this.position < this.source.length) {
      const next = this.source[this.position];
      if (untilBrace && next === '}') return text;
      if (next !== '$') {
        text += next;
        this.position += 1;
      } else {
        text += this.variable(nesting, wanted);
      }
    }
    return text;
  }

  private variable(nesting: number, wanted: boolean): string {
    this.position += 1;
    const next = this.source[this.position];
    if (next === '$') {
      this.position += 1;
      return '$';
    }
    if (next !== '{') {
      const name = this.name();
      if (!name)
        throw new InterpolationError('"$" stands before no name of a variable; write "$$" for a "$"');
      return this.bounded(this.value(name, wanted));
    }
    this.position += 1;
    const name = this.name();
    if (!name) throw new InterpolationError('"${" must be followed by the name of a variable');
    const text = this.braced(name, nesting, wanted);
    if (this.source[this.position] !== '}')
      throw new InterpolationError(`"\${${name}" is not closed by a "}" or has an unknown operator`);
    this.position += 1;
    return this.bounded(text);
  }

  private braced(name: string, nesting: number, wanted: boolean): string {
    const operator = /:?[-?+]/y;
    operator.lastIndex = this.position;
    const found = operator.exec(this.source)?.[0];
    if (!found) return this.value(name, wanted);
    this.position += found.length;
    const value = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
    const present = value !== undefined && !(found.startsWith(':') && value === '');
    const kind = found.at(-1);
    const useful = kind === '+' ? present : !present;
    const word = this.read(true, nesting + 1, wanted && useful);
    if (kind === '+') return present ? word : '';
    if (present) return value;
    if (kind === '-') return word;
    if (!wanted) return '';
    throw new InterpolationError(
      `the variable ${name} is required${word ? `: ${word}` : ''}; set it in the environment`,
    );
  }

  private name(): string | undefined {
    NAME.lastIndex = this.position;
    const name = NAME.exec(this.source)?.[0];
    if (name) this.position += name.length;
    return name;
  }

  private value(name: string, wanted: boolean): string {
    if (Object.hasOwn(this.variables, name)) return this.variables[name];
    if (wanted) this.unset.add(name);
    return '';
  }

  private bounded(text: string): string {
    this.written += text.length;
    if (this.written > MAX_LENGTH) throw new InterpolationError('the variables make this value too long');
    return text;
  }
}
