import { MessagePattern } from '@nestjs/microservices';
import type { z } from 'zod';
import { parseOrThrow, type RpcDefinition } from '@berth/contracts';

export const RPC_METADATA = 'berth:rpc';

type Handler = (...args: never[]) => unknown;

/** Carries what inner decorators have noted on a method over to the function that takes its place. */
export function replaceMethod(descriptor: PropertyDescriptor, make: (original: Handler) => Handler): void {
  const original = descriptor.value as Handler;
  const replacement = make(original);
  Object.defineProperty(replacement, 'name', { value: original.name });
  for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), replacement);
  }
  descriptor.value = replacement;
}

/**
 * Answers a request of other services. The method is given the validated payload, and what it answers is reduced to the
 * response's schema, so that nothing else leaves by accident.
 */
export function Handles<Request extends z.ZodType, Response extends z.ZodType>(
  rpc: RpcDefinition<Request, Response>,
) {
  return function <M extends (input: z.output<Request>) => Promise<z.input<Response>>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): void {
    replaceMethod(descriptor, (original) => {
      return async function (this: unknown, payload: never) {
        const input = parseOrThrow(rpc.request, payload) as never;
        return parseOrThrow(rpc.response, await original.call(this, input), `The answer of ${rpc.subject}`);
      };
    });
    Reflect.defineMetadata(RPC_METADATA, rpc.subject, descriptor.value as object);
    MessagePattern(rpc.subject)(target, key, descriptor as PropertyDescriptor);
  };
}
