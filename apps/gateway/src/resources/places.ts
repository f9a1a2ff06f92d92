import { Id, Name } from '@berth/contracts';
import type { z } from 'zod';
import { InEnvironment } from '../http/places.js';

export const AtResource = InEnvironment.extend({ name: Name });
export type AtResource = z.infer<typeof AtResource>;

export const ByOperation = AtResource.extend({ id: Id });
export type ByOperation = z.infer<typeof ByOperation>;
