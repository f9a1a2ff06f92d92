import { ERRORS, isErrorCode, type Problem } from '@berth/contracts';

/** What a script can rely on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unauthenticated: 3,
  denied: 4,
  overQuota: 5,
  notFound: 6,
  unavailable: 7,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Codes that the CLI itself adds to those of the platform. */
export type CliCode =
  | 'USAGE'
  | 'NOT_LOGGED_IN'
  | 'CREDENTIALS_EXPOSED'
  | 'UNREACHABLE'
  | 'UNEXPECTED_ANSWER'
  | 'DEPLOYMENT_FAILED'
  | 'BACKUP_FAILED'
  | 'RESTORE_FAILED';

/** An error as a person meets it: `code: detail`, what to do, and the number the process ends with. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: string,
    detail: string,
    readonly exitCode: ExitCode,
    readonly hint: string | null = null,
    readonly problem: Problem | null = null,
  ) {
    super(detail);
  }

  static usage(detail: string, hint: string | null = null): CliError {
    return new CliError('USAGE' satisfies CliCode, detail, EXIT.usage, hint);
  }

  static fromProblem(problem: Problem): CliError {
    const { code, status, detail } = problem;
    return new CliError(code, detail, exitCodeOf(code, status), HINTS[code] ?? hintByStatus(status), problem);
  }

  withHint(hint: string): CliError {
    return new CliError(this.code, this.message, this.exitCode, hint, this.problem);
  }
}

/** The exit code of an error of the gateway: by its code where one stands out, else by its status. */
export function exitCodeOf(code: string, status: number): ExitCode {
  if (code === 'VALIDATION_FAILED') return EXIT.usage;
  if (code === 'QUOTA_EXCEEDED') return EXIT.overQuota;
  const known = isErrorCode(code) ? ERRORS[code][0] : status;
  if (known === 401) return EXIT.unauthenticated;
  if (known === 403) return EXIT.denied;
  if (known === 404) return EXIT.notFound;
  if (known === 503) return EXIT.unavailable;
  return EXIT.failed;
}

const LOGIN = 'Run `berth login`, or set BERTH_TOKEN.';

const LOGIN_AGAIN = 'Run `berth login` again.';

const HINTS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: LOGIN,
  TOKEN_EXPIRED: LOGIN,
  TOKEN_REVOKED: LOGIN,
  LOGIN_DENIED: LOGIN_AGAIN,
  LOGIN_EXPIRED: LOGIN_AGAIN,
  IDENTITY_PROVIDER_UNAVAILABLE:
    'Try again in a moment, or log in with a token: `berth login --token-stdin`.',
  NOT_FOUND: 'See what there is: `berth project ls`, `berth env ls --project <name>`.',
  IMAGE_NOT_FOUND: 'Check the name and the tag, and that the image was pushed.',
  POLICY_DENIED:
    'Change what the policy objects to, or ask an admin; `berth policy show <id>` shows the rule.',
  QUOTA_EXCEEDED:
    'Ask for less, scale something down, or ask an admin for a higher limit (`berth quota set`).',
  SECRET_IN_USE: 'Take it out of the Compose file and deploy that first.',
  DEPLOYMENT_IN_PROGRESS: 'Wait for it, or end it: `berth deployments`, then `berth cancel <id>`.',
};

function hintByStatus(status: number): string | null {
  return status === 503
    ? 'Nothing was done. Try again in a moment; `berth doctor` on the platform’s machine says what is down.'
    : null;
}
