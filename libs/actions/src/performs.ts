import { BerthError, type ActionDefinition } from '@berth/contracts';
import { ACTION_METADATA, currentContext, newRequestContext, runInContext } from '@berth/runtime';
import { replaceMethod } from '@berth/messaging';
import { SetMetadata } from '@nestjs/common';

/**
 * Binds a handler to the action that it performs, and holds it to that: a handler that answers without having asked the
 * `before` hook of its action answers `UNMEDIATED` instead.
 */
export function Performs(action: Pick<ActionDefinition, 'name'>): MethodDecorator {
  return (target, key, descriptor) => {
    replaceMethod(descriptor as PropertyDescriptor, (original) => {
      return async function (this: unknown, ...args: never[]) {
        const run = async (): Promise<unknown> => {
          const result: unknown = await original.apply(this, args);
          if (currentContext()?.performed.has(action.name)) return result;
          throw new BerthError('UNMEDIATED', `${action.name} answered without having passed the pipeline.`);
        };
        return currentContext() ? run() : runInContext(newRequestContext(), run);
      };
    });
    SetMetadata(ACTION_METADATA, action.name)(target, key, descriptor);
  };
}

/** Binds a route to an action that another service performs when this one calls it: the gateway's routes. */
export function Delegates(action: Pick<ActionDefinition, 'name'>): MethodDecorator {
  return SetMetadata(ACTION_METADATA, action.name);
}
