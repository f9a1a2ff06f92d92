import { z } from 'zod';
import { isDigest } from '../names/digest.js';
import type { ReferrerDescriptor } from './referrers.js';

const Entry = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest),
  size: z.int().min(0),
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const Index = z.object({ manifests: z.array(z.unknown()).max(10_000) });

/** What an index lists that somebody else made; nothing where it is none, and without entries that are none. */
export function readIndexEntries(bytes: Buffer | null): ReferrerDescriptor[] {
  const index = Index.safeParse(bytes === null ? null : parse(bytes));
  if (!index.success) return [];
  return index.data.manifests.flatMap((entry) => {
    const read = Entry.safeParse(entry);
    return read.success ? [read.data as ReferrerDescriptor] : [];
  });
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
