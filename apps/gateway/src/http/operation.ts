import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';
import { Delegates } from '@berth/actions';
import { ERRORS, Problem, type ActionDefinition, type ErrorCode } from '@berth/contracts';
import type { z } from 'zod';

export const LOCATION_METADATA = 'berth:location';
export type Locate = (answer: never) => string;

export interface OperationOptions<Answer extends z.ZodType> {
  /** What is answered; nothing (204) when left out. */
  answer?: Answer;
  /** The status of success: 200 with an answer and 204 without, unless it creates (201) or accepts (202). */
  status?: 101 | 200 | 201 | 202 | 204;
  /** Where what was created is. */
  location?: (answer: z.output<Answer>) => string;
  /** Errors that this operation has beside those that all have. */
  errors?: readonly ErrorCode[];
  /** In place of the action's summary, where several operations share an action. */
  summary?: string;
  description?: string;
  /** The media type of the answer; `application/json` unless it is a stream of events. */
  produces?: string;
}

const OF_ALL: readonly ErrorCode[] = [
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'INTERNAL',
  'POLICY_UNAVAILABLE',
  'SERVICE_UNAVAILABLE',
];

/** Binds a route to the action that another service performs for it, and describes it: one decorator says all of it. */
export function Operation<Answer extends z.ZodType>(
  action: Pick<ActionDefinition, 'name' | 'summary' | 'permission' | 'resource' | 'hooks' | 'consumes'>,
  options: OperationOptions<Answer> = {},
): MethodDecorator {
  const { answer, location, description, produces } = options;
  const status = options.status ?? (answer ? 200 : 204);
  const { name, permission, resource, hooks, consumes } = action;
  const headers = location
    ? { Location: { schema: { type: 'string' as const }, description: 'Where it is' } }
    : undefined;
  return applyDecorators(
    Delegates(action),
    HttpCode(status),
    ...(location ? [SetMetadata(LOCATION_METADATA, location)] : []),
    ...(produces ? [ApiProduces(produces)] : []),
    ApiOperation({ summary: options.summary ?? action.summary, description }),
    ApiExtension('x-berth-action', { name, permission, resource, hooks, consumes }),
    ApiResponse({ status, description: SUCCESS[status], standardSchema: answer, headers }),
    ...problemResponses([...OF_ALL, ...whatPolicySays(action), ...(options.errors ?? [])]),
  );
}

const SUCCESS = {
  101: 'It is a WebSocket from here on',
  200: 'Done',
  201: 'Created',
  202: 'Accepted',
  204: 'Done; there is nothing to tell',
} as const;

/** Whoever may see all of the platform's things is refused openly; the rest may be told that a thing is not there. */
function whatPolicySays({ permission }: Pick<ActionDefinition, 'permission'>): ErrorCode[] {
  return permission === 'anyone' ? ['POLICY_DENIED'] : ['POLICY_DENIED', 'NOT_FOUND'];
}

export function problemResponses(codes: readonly ErrorCode[]): MethodDecorator[] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const [status] = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].map(([status, list]) =>
    ApiResponse({
      status,
      description: list.map((code) => `\`${code}\`: ${ERRORS[code][1]}`).join('. '),
      standardSchema: Problem,
    }),
  );
}
