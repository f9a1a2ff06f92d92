import { z } from 'zod';

/** Every error code with its HTTP status and its title: registered once, here. Codes are stable. */
export const ERRORS = {
  VALIDATION_FAILED: [400, 'The request is not of the expected shape'],
  BODY_INVALID: [400, 'The body cannot be read'],
  CURSOR_INVALID: [400, 'The cursor is not one of ours'],
  COMPOSE_INVALID: [400, 'The Compose file cannot be read'],
  COMPOSE_UNSUPPORTED: [400, 'The Compose file asks for what is not supported'],
  DOCKERFILE_INVALID: [400, 'The Dockerfile cannot be read'],
  DOCKERFILE_UNSUPPORTED: [400, 'The Dockerfile asks for what is not supported'],
  CONTEXT_INVALID: [400, 'The build context cannot be read'],
  CERTIFICATE_INVALID: [400, 'The certificate or its key cannot be used'],
  CATALOG_ENTRY_INVALID: [400, 'The catalog entry cannot be read'],
  DIGEST_INVALID: [400, 'The digest is malformed or does not match the content'],
  REFERENCE_INVALID: [400, 'The image reference is malformed'],
  POLICY_INVALID: [400, 'The policy does not hold against the schema'],
  UNAUTHENTICATED: [401, 'No valid token'],
  TOKEN_EXPIRED: [401, 'The token has expired'],
  TOKEN_REVOKED: [401, 'The token was revoked'],
  POLICY_DENIED: [403, 'Denied by policy'],
  LOGIN_DENIED: [403, 'The login was refused'],
  NOT_FOUND: [404, 'Not found'],
  IMAGE_NOT_FOUND: [404, 'No such image'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  ALREADY_EXISTS: [409, 'Already there'],
  CONFLICT: [409, 'In conflict with the present state'],
  QUOTA_EXCEEDED: [409, 'Over quota'],
  DEPLOYMENT_IN_PROGRESS: [409, 'A deployment is under way in this environment'],
  PORT_IN_USE: [409, 'The port is taken'],
  HOST_IN_USE: [409, 'The host name is taken'],
  SECRET_IN_USE: [409, 'The secret is in use'],
  RESOURCE_IN_USE: [409, 'The resource is in use'],
  INSTANCE_NOT_RUNNING: [409, 'No such instance runs'],
  INSTANCE_ELSEWHERE: [409, 'The instance runs on another node'],
  INSTANCE_ENDED: [409, 'The instance has ended'],
  IDEMPOTENCY_IN_FLIGHT: [409, 'The same request is under way'],
  LOGIN_EXPIRED: [410, 'The login is over'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'The media type is not supported'],
  IDEMPOTENCY_MISMATCH: [422, 'The Idempotency-Key was used for another request'],
  BUILD_FAILED: [422, 'The image could not be built'],
  IMAGE_INVALID: [422, 'The image cannot be judged'],
  IMAGE_PLATFORM_MISMATCH: [422, 'The image is not built for this platform'],
  RESOURCE_NOT_FOUND: [422, 'There is no such resource in the environment'],
  SECRET_NOT_FOUND: [422, 'There is no such secret in the environment'],
  UPSTREAM_UNKNOWN: [422, 'No such upstream registry is configured'],
  UPGRADE_REQUIRED: [426, 'This is spoken over a WebSocket'],
  UPSTREAM_RATE_LIMITED: [429, 'The upstream registry limits the rate'],
  TOO_MANY_REQUESTS: [429, 'Too many requests at a time'],
  INTERNAL: [500, 'Something went wrong on our side'],
  UNMEDIATED: [500, 'An action answered without having passed the pipeline'],
  UPSTREAM_UNAVAILABLE: [502, 'The upstream registry does not answer'],
  ENGINE_UNAVAILABLE: [503, 'The container engine does not answer'],
  IDENTITY_PROVIDER_UNAVAILABLE: [503, 'The identity provider does not answer as it should'],
  POLICY_UNAVAILABLE: [503, 'Policy does not answer, so nothing was done'],
  QUOTA_UNAVAILABLE: [503, 'Quota does not answer, so nothing was done'],
  DATABASE_UNAVAILABLE: [503, 'The database does not answer'],
  WAY_IN_UNAVAILABLE: [503, 'The way in does not work'],
  SERVICE_UNAVAILABLE: [503, 'A service does not answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** RFC 9457 problem details, with our stable `code` and the correlation id; extensions stand beside them. */
export const Problem = z
  .looseObject({
    type: z.string().describe('`urn:berth:error:<CODE>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, to what, and what to do'),
    code: z.string().describe('Stable: scripts may rely on it'),
    correlationId: z.string().optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/**
 * The one error that crosses a boundary. `detail` says what happened, to what, and what to do; `extensions` are members
 * of the problem beside the standard ones, such as `policies` or `limits`, and hold no secret.
 */
export class BerthError extends Error {
  override readonly name = 'BerthError';
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    detail: string,
    readonly extensions: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.status = ERRORS[code][0];
  }

  toProblem(correlationId?: string): Problem {
    const [status, title] = ERRORS[this.code];
    return {
      ...this.extensions,
      type: `urn:berth:error:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      ...(correlationId ? { correlationId } : {}),
    };
  }

  /** The error that a problem tells of; of an unknown code it makes `fallback`. */
  static fromProblem(problem: Problem, fallback: ErrorCode = 'INTERNAL'): BerthError {
    const {
      type: _type,
      title: _title,
      status: _status,
      detail,
      code,
      correlationId: _id,
      ...extensions
    } = problem;
    return new BerthError(isErrorCode(code) ? code : fallback, detail, extensions);
  }
}

/** One field that is not as it should be, as `VALIDATION_FAILED` lists them under `fields`. */
export interface FieldProblem {
  path: string;
  message: string;
}

/** `VALIDATION_FAILED` with the fields named, from what Zod found. */
export function validationError(error: z.ZodError, what = 'The request'): BerthError {
  const fields: FieldProblem[] = error.issues.map((issue) => ({
    path: issue.path.map(String).join('.') || '(root)',
    message: issue.message,
  }));
  const told = fields.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new BerthError('VALIDATION_FAILED', `${what} is not valid. ${told}`, { fields });
}

export function parseOrThrow<T extends z.ZodType>(schema: T, value: unknown, what?: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw validationError(parsed.error, what);
  return parsed.data;
}
