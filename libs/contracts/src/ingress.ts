import { z } from 'zod';

/** Where requests to services come in, and whether they do. */
export const Ingress = z
  .object({
    state: z
      .enum(['answers', 'broken', 'off'])
      .describe('`answers`: it was asked just now. `off`: this platform has no way in'),
    reason: z.string().nullable().describe('Why it does not answer; null where it does'),
    addresses: z.array(z.string()).describe('Where it listens: in the clear, and over TLS where that is on'),
    url: z.string().nullable().describe('Where services answer by their place, as a pattern'),
  })
  .meta({ id: 'Ingress' });
export type Ingress = z.infer<typeof Ingress>;
