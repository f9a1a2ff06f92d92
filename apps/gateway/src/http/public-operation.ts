import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Public } from '@berth/actions';
import type { ErrorCode } from '@berth/contracts';
import type { z } from 'zod';
import { problemResponses } from './operation.js';

/** A route that needs no token, since it is the way to one: says why it is open, and describes it. */
export function PublicOperation(
  reason: string,
  { summary, description, answer, errors = [] }: PublicOptions,
): MethodDecorator {
  return applyDecorators(
    Public(reason),
    HttpCode(200),
    ApiOperation({ summary, description, security: [] }),
    ApiExtension('x-berth-public', reason),
    ApiResponse({ status: 200, description: 'Done', standardSchema: answer }),
    ...problemResponses(['VALIDATION_FAILED', 'INTERNAL', 'SERVICE_UNAVAILABLE', ...errors]),
  );
}

interface PublicOptions {
  summary: string;
  description?: string;
  answer: z.ZodType;
  errors?: readonly ErrorCode[];
}
