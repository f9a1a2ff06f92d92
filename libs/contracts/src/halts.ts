import { z } from 'zod';
import { Name, Timestamp } from './names.js';
import { PolicyAnswer } from './policies.js';

/** A service of which no instance may run until it is deployed, restarted or scaled again. */
export const HaltedService = z
  .object({
    service: Name,
    since: Timestamp,
    policies: z.array(PolicyAnswer).describe('What they say of the instance that came up'),
  })
  .meta({ id: 'HaltedService' });
export type HaltedService = z.infer<typeof HaltedService>;
