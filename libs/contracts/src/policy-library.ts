import { z } from 'zod';
import { PolicyCase } from './policy-cases.js';
import { PolicyId } from './policies.js';

/** What may stand in the text of a policy without any care for quotes: names, hosts, references, patterns of them. */
const Word = z
  .string()
  .regex(/^[A-Za-z0-9._@:/+*-]{1,200}$/, { error: 'must be of letters, digits and ._@:/+*-' });
export const ParameterValue = z.union([z.int().min(0), Word, z.array(Word).max(100)]);
export type ParameterValue = z.infer<typeof ParameterValue>;

export const LibraryParameter = z
  .object({
    type: z.enum(['number', 'text', 'set']),
    default: ParameterValue,
    summary: z.string(),
  })
  .meta({ id: 'LibraryParameter' });

/** A ready policy: with its parameters at their defaults it holds, and each of its cases passes. */
export const LibraryPolicy = z
  .object({
    id: PolicyId,
    summary: z.string(),
    parameters: z.record(z.string(), LibraryParameter),
    text: z.string().describe('Cedar, with the parameters as `${name}`'),
    cases: z.array(PolicyCase),
  })
  .meta({ id: 'LibraryPolicy' });
export type LibraryPolicy = z.infer<typeof LibraryPolicy>;

export const RenderLibraryPolicy = z
  .strictObject({
    id: PolicyId.optional().describe('What it is to be called; as in the library when left out'),
    parameters: z
      .record(z.string(), ParameterValue)
      .default({})
      .describe('Those left out have their defaults'),
  })
  .meta({ id: 'RenderLibraryPolicy' });

export const RenderedPolicy = z.object({ id: PolicyId, text: z.string() }).meta({ id: 'RenderedPolicy' });
export type RenderedPolicy = z.infer<typeof RenderedPolicy>;
