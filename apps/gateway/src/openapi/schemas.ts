import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/**
 * A Zod schema as JSON Schema 2020-12, which OpenAPI 3.1 uses as it is. Schemas that have an id become components, and
 * stand as `$ref` wherever they are used, also at the top.
 */
export function convertSchema(
  schema: unknown,
  { schemaType }: { schemaType: 'input' | 'output' },
): { schema: JsonSchema; components: Record<string, JsonSchema> } | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const converted = z.toJSONSchema(schema, {
    io: schemaType,
    override: ({ jsonSchema }) => mend(jsonSchema, schemaType),
  });
  const {
    $schema: _dialect,
    $defs = {},
    id,
    ...rest
  } = converted as JsonSchema & { $defs?: Record<string, JsonSchema> };
  const components = Object.fromEntries(
    Object.entries($defs).map(([name, { id: _id, ...definition }]) => [name, definition]),
  );
  if (typeof id !== 'string') return { schema: rest, components };
  return { schema: { $ref: `#/$defs/${id}` }, components: { ...components, [id]: rest } };
}

function mend(schema: JsonSchema, schemaType: 'input' | 'output'): void {
  // Zod closes what it puts out; we do not: within v1 an answer may gain fields.
  if (schemaType === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
  // A flag of a query is text on the wire: say what it means.
  if (JSON.stringify(schema.anyOf) === '[{"type":"string"},{"type":"boolean"}]') {
    delete schema.anyOf;
    schema.type = 'boolean';
  }
  // The format says it; Zod's expression for it is for machines only.
  if (schema.format === 'date-time' || schema.format === 'uuid') delete schema.pattern;
  // The bounds of JavaScript's integers are not ours to state.
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}
