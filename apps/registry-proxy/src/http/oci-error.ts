import { BerthError, type ErrorCode } from '@berth/contracts';

/** Codes of the OCI distribution spec 1.1, "Error codes", with the status each goes with; two that distribution added. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
} as const;

export type OciCode = keyof typeof STATUS;

export interface OciErrorOptions {
  status?: number;
  detail?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** An error as registry clients are told it: `{"errors":[{code,message,detail}]}`. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: OciCode,
    message: string,
    { status, detail, headers }: OciErrorOptions = {},
  ) {
    super(message);
    this.status = status ?? STATUS[code];
    this.detail = detail ?? null;
    this.headers = headers ?? {};
  }

  toBody(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message, detail: this.detail }] });
  }
}

/** A manifest that a repository does not hold, by the tag or digest that was asked for. */
export function manifestUnknown(repository: string, reference: string): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`, {
    detail: { reference },
  });
}

type Telling = (error: BerthError) => OciError;
const as =
  (code: OciCode, options?: OciErrorOptions): Telling =>
  (error) =>
    new OciError(code, error.message, options);

const UPSTREAM_STATUS: Readonly<Record<string, number>> = {
  unreachable: 503,
  timeout: 504,
  invalid: 502,
  failed: 502,
};

function retryAfter({ extensions }: BerthError): Record<string, string> {
  return typeof extensions.retryAfter === 'string' ? { 'retry-after': extensions.retryAfter } : {};
}

const TOLD: Partial<Record<ErrorCode, Telling>> = {
  UNAUTHENTICATED: as('UNAUTHORIZED'),
  TOKEN_EXPIRED: as('UNAUTHORIZED'),
  TOKEN_REVOKED: as('UNAUTHORIZED'),
  POLICY_DENIED: (error) => new OciError('DENIED', error.message, { detail: error.extensions.policies }),
  NOT_FOUND: as('NAME_UNKNOWN'),
  DIGEST_INVALID: as('DIGEST_INVALID'),
  IMAGE_INVALID: as('MANIFEST_INVALID'),
  BODY_TOO_LARGE: as('SIZE_INVALID', { status: 413 }),
  QUOTA_EXCEEDED: as('DENIED'),
  UPSTREAM_RATE_LIMITED: (error) =>
    new OciError('TOOMANYREQUESTS', error.message, { headers: retryAfter(error) }),
  UPSTREAM_UNAVAILABLE: (error) => {
    const { message, extensions } = error;
    if (extensions.failure === 'refused') return new OciError('DENIED', message);
    const status = UPSTREAM_STATUS[String(extensions.failure)] ?? 502;
    return new OciError('UNAVAILABLE', message, { status, headers: retryAfter(error) });
  },
};

/** Any error of ours in the form that registry clients read. */
export function asOciError(error: BerthError | OciError): OciError {
  if (error instanceof OciError) return error;
  const telling = TOLD[error.code];
  if (telling !== undefined) return telling(error);
  if (error.status === 503) return new OciError('UNAVAILABLE', error.message);
  return new OciError(error.status >= 500 ? 'UNKNOWN' : 'UNSUPPORTED', error.message, {
    status: error.status,
  });
}

/** A full disk is nothing that a client did, and nothing that trying again at once would mend (RFC 4918, 11.5). */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
