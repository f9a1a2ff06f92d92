import type { z } from 'zod';
import type { ServiceName } from '../names.js';

/** A request that one service answers to others, on the NATS subject `berth.rpc.<service>.<method>`. */
export interface RpcDefinition<
  Request extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  readonly service: ServiceName;
  readonly method: string;
  readonly subject: string;
  readonly request: Request;
  readonly response: Response;
  /** How long a caller waits, in milliseconds. */
  readonly timeout: number;
}

export function defineRpc<Request extends z.ZodType, Response extends z.ZodType>(
  service: ServiceName,
  method: string,
  request: Request,
  response: Response,
  timeout = 5_000,
): RpcDefinition<Request, Response> {
  return { service, method, subject: `berth.rpc.${service}.${method}`, request, response, timeout };
}
