import { BerthError } from '@berth/contracts';

export type ProblemCode = 'COMPOSE_INVALID' | 'COMPOSE_UNSUPPORTED';

/** Where something stands in the Compose file; lines and columns count from 1, the path is as `services.web.ports[0]`. */
export interface Place {
  line: number;
  column: number;
  path: string;
}

export interface ComposeProblem extends Place {
  code: ProblemCode;
  message: string;
}

/** More than these help nobody, and a hostile file could make any number of them. */
const MAX_PROBLEMS = 50;

/** Collects what is wrong with a file, so that a person learns of all of it at once. */
export class Problems {
  private readonly found: ComposeProblem[] = [];

  invalid(place: Place, message: string): void {
    this.add('COMPOSE_INVALID', place, message);
  }

  unsupported(place: Place, message: string): void {
    this.add('COMPOSE_UNSUPPORTED', place, message);
  }

  get any(): boolean {
    return this.found.length > 0;
  }

  private add(code: ProblemCode, { line, column, path }: Place, message: string): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push({ code, line, column, path, message });
  }

  /** One error for all of them: COMPOSE_INVALID when any of them is, else COMPOSE_UNSUPPORTED. */
  toError(): BerthError {
    const problems = [...this.found].sort((a, b) => a.line - b.line || a.column - b.column);
    const code = problems.some((problem) => problem.code === 'COMPOSE_INVALID')
      ? 'COMPOSE_INVALID'
      : 'COMPOSE_UNSUPPORTED';
    const told = problems.map(
      ({ line, column, path, message }) =>
        `line ${line}, column ${column}${path ? `, ${path}` : ''}: ${message}`,
    );
    return new BerthError(code, told.join('\n'), { problems });
  }
}
