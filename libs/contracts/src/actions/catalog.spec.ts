import { z } from 'zod';
import { catalog } from './define.js';
import './catalog.js';

const FACTS = ['string', 'boolean', 'number', 'array', 'object', 'optional'];

function kinds(schema: z.ZodType): string[] {
  const { type, innerType, element, shape } = schema._zod.def as unknown as {
    type: string;
    innerType?: z.ZodType;
    element?: z.ZodType;
    shape?: Record<string, z.ZodType>;
  };
  return [
    type,
    ...[innerType, element, ...Object.values(shape ?? {})].flatMap((inner) => (inner ? kinds(inner) : [])),
  ];
}

/** Of which a no afterwards would come too late. */
const FINAL = ['authentication.fail', 'node.remove', 'image.collect', 'image.scrub', 'retention.apply'];
/** What only looks, at what is known only once it is found: judged before any of it is shown. */
const FOUND = ['image.pull'];

describe('the action catalog', () => {
  const entries = [...catalog.values()];

  it.each(entries.map((action) => [action.name, action] as const))('%s is whole', (name, action) => {
    expect(name).toMatch(/^[a-z]+\.[a-z-]+$/);
    expect(action.summary).not.toBe('');
    expect(action.resource.length).toBeGreaterThan(0);
    // What changes has an outcome to judge, unless it could not be taken back; what only looks seldom has.
    const judged = action.record === 'change' ? !FINAL.includes(name) : FOUND.includes(name);
    expect(action.hooks.includes('after')).toBe(judged);
  });

  it.each(entries.map((action) => [action.name, action] as const))(
    '%s has facts that Cedar can type',
    (_name, action) => {
      for (const kind of [...kinds(action.context), ...kinds(action.outcome)]) expect(FACTS).toContain(kind);
    },
  );
});
