import { z } from 'zod';
import { Name, Timestamp } from './names.js';
import { defineEvent } from './events.js';
import { Deployment } from './workloads.js';

/** As Compose files name them; what a service is given as a variable is called so as well. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, {
    error: 'must be 1 to 63 of letters, digits, "_" and "-", starting with a letter or "_"',
  })
  .describe('Letters, digits, "_" and "-", 63 at most');
export type SecretName = z.infer<typeof SecretName>;

/** Bytes of a value at most. (Swarm takes 500 KB of a secret.) */
export const SECRET_LIMIT = 65_536;

/** A value as it travels: base64 of 1 to 65,536 bytes. */
export const SecretValue = z
  .base64({ error: 'must be base64 (RFC 4648, section 4)' })
  .max(4 * Math.ceil(SECRET_LIMIT / 3), { error: 'must be of 65,536 bytes at most' })
  .refine((text) => holds(Buffer.from(text, 'base64')), { error: 'must be of 1 to 65,536 bytes' });

/** What is known of a secret, to anyone: never its value. */
export const Secret = z
  .object({
    name: SecretName,
    version: z.int().min(1).describe('Counts up with each value it is given; no number comes twice'),
    setBy: Name,
    setAt: Timestamp,
  })
  .meta({ id: 'Secret' });
export type Secret = z.infer<typeof Secret>;

/** What is in force for what runs once the deployment has succeeded. */
export const ChangedSecret = Secret.extend({
  deployment: Deployment.nullable().describe(
    'What brings it to those that are given it; null where none that runs is',
  ),
}).meta({ id: 'ChangedSecret' });
export type ChangedSecret = z.infer<typeof ChangedSecret>;

/** The one shape that a value is taken in; there is none that it is given out in. */
export const SetSecret = z
  .strictObject({
    value: z.string().max(SECRET_LIMIT).optional().describe('Text, kept as UTF-8; 65,536 bytes at most'),
    valueBase64: SecretValue.optional().describe('Or bytes, as base64'),
  })
  .refine(({ value, valueBase64 }) => (value === undefined) !== (valueBase64 === undefined), {
    error: 'give either "value" or "valueBase64"',
  })
  .refine(({ value }) => value === undefined || holds(Buffer.from(value)), {
    path: ['value'],
    error: 'must be of 1 to 65,536 bytes',
  })
  .refine(({ value }) => value === undefined || Buffer.from(value).toString() === value, {
    path: ['value'],
    error: 'must be text that UTF-8 can hold; send other bytes as "valueBase64"',
  })
  .meta({ id: 'SetSecret' });
export type SetSecret = z.infer<typeof SetSecret>;

function holds(bytes: Buffer): boolean {
  return bytes.length >= 1 && bytes.length <= SECRET_LIMIT;
}

const told = z.object({ project: Name, environment: Name, name: SecretName, version: z.int() });

export const secretSetEvent = defineEvent('secret.set.v1', 'A secret was given a value.', told);
export const secretRemovedEvent = defineEvent(
  'secret.removed.v1',
  'A secret was removed, with all versions of its value.',
  told,
);
