import { z } from 'zod';
import { BerthError } from '@berth/contracts';

/**
 * Facts of a hook of which only some are told: the others are empty, false and 0 unless the catalog knows better (`neutral`), and
 * what is optional is not there. Throws
 * VALIDATION_FAILED for a fact that the hook does not have, or that is of another type.
 */
export function completeFacts(
  schema: z.ZodObject,
  told: Readonly<Record<string, unknown>>,
  where: string,
): Record<string, unknown> {
  const unknown = Object.keys(told).filter((name) => !(name in schema.shape));
  if (unknown.length > 0) {
    const known = Object.keys(schema.shape).sort().join(', ') || 'none';
    throw new BerthError(
      'VALIDATION_FAILED',
      `${where}: there is no fact ${unknown.join(', ')}. There are: ${known}.`,
    );
  }
  const parsed = schema.safeParse({ ...neutral(schema), ...told });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `context.${path.join('.')}: ${message}`);
  throw new BerthError('VALIDATION_FAILED', `${where}: ${issues.join('; ')}`);
}

function neutral(schema: z.ZodObject): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    const value = neutralOf(field);
    if (value !== undefined) facts[name] = value;
  }
  return facts;
}

function neutralOf(field: z.ZodType): unknown {
  const told = field.meta()?.neutral;
  if (told !== undefined) return told;
  if (field instanceof z.ZodString) return '';
  if (field instanceof z.ZodBoolean) return false;
  if (field instanceof z.ZodNumber) return 0;
  if (field instanceof z.ZodArray) return [];
  if (field instanceof z.ZodEnum) return field.options[0];
  if (field instanceof z.ZodObject) return neutral(field);
  return undefined;
}
