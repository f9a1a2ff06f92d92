import type { Type, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';

type RecordShape = Record<string, TypeOfAttribute<string>>;

/** What of Zod has a counterpart in Cedar: no floats, no nulls, no unions, no maps of unknown keys. */
function cedarType(schema: z.ZodType, path: string): Type<string> {
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return { type: 'String' };
  if (schema instanceof z.ZodBoolean) return { type: 'Boolean' };
  if (schema instanceof z.ZodNumber && schema.format === 'safeint') return { type: 'Long' };
  if (schema instanceof z.ZodArray) {
    return { type: 'Set', element: cedarType(schema.element as z.ZodType, `${path}[]`) };
  }
  if (schema instanceof z.ZodObject) return { type: 'Record', attributes: recordShape(schema, path) };
  throw new Error(
    `${path}: facts are strings, booleans, integers, and arrays and objects of these; Cedar has no ${schema.def.type}`,
  );
}

/** The attributes of a Cedar record that holds what `schema` describes; throws, with the path, where Cedar cannot. */
export function recordShape(schema: z.ZodObject, path: string): RecordShape {
  const attributes: RecordShape = {};
  for (const [name, field] of Object.entries(schema.shape as Record<string, z.ZodType>)) {
    const optional = field instanceof z.ZodOptional;
    const type = cedarType(optional ? (field.unwrap() as z.ZodType) : field, `${path}.${name}`);
    attributes[name] = optional ? { ...type, required: false } : type;
  }
  return attributes;
}
