import { z } from 'zod';

/**
 * An object whose keys are spelt as the schema does. Clients are written in Go, whose reader takes `Digest` for `digest`: what it would
 * read otherwise than we do is refused, else policy would be told of another image than the one that runs.
 */
export function exactly<T extends z.ZodObject>(schema: T) {
  const spelling = new Map(Object.keys(schema.shape).map((key) => [key.toLowerCase(), key]));
  return z
    .record(z.string(), z.unknown())
    .superRefine((document, context) => {
      for (const key of Object.keys(document)) {
        const known = spelling.get(key.toLowerCase());
        if (known === undefined || known === key) continue;
        context.addIssue({ code: 'custom', path: [key], message: `is spelt "${known}"` });
      }
    })
    .pipe(schema);
}
