import { StandardSchemaValidationPipe } from '@nestjs/common';
import { BerthError, type FieldProblem } from '@berth/contracts';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
}

/** Validates what a route is given against the Zod schema beside its parameter; names every field that is wrong. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: validationFailed });
}

function validationFailed(issues: readonly Issue[]): BerthError {
  const fields: FieldProblem[] = issues.map(({ path, message }) => ({
    path:
      path?.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.') ||
      '(root)',
    message,
  }));
  const told = fields
    .map(({ path, message }) => (path === '(root)' ? message : `${path}: ${message}`))
    .join('; ');
  return new BerthError('VALIDATION_FAILED', `The request is not valid. ${told}`, { fields });
}
