import { SetMetadata } from '@nestjs/common';

/** Metadata of a handler: the action it performs, or why it needs none. Complete mediation rests on these two. */
export const ACTION_METADATA = 'berth:action';
export const PUBLIC_METADATA = 'berth:public';

/** This handler is open without an action, for a reason that a reviewer can weigh. */
export const Public = (reason: string): MethodDecorator & ClassDecorator =>
  SetMetadata(PUBLIC_METADATA, reason);
