import { z } from 'zod';
import { Id, Name } from './names.js';
import { Cost } from './prices.js';

export const Dimension = z.enum(['cpu', 'memory', 'instances', 'storage']);
export type Dimension = z.infer<typeof Dimension>;
export const QuotaScope = z.enum(['teams', 'users', 'projects', 'environments']);
export type QuotaScope = z.infer<typeof QuotaScope>;

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
};

/** Bytes from `8GiB`, `512MB`, `1024`; null when it is no size. SI and IEC units as ISO/IEC 80000-13 has them. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = match && UNITS[match[2].toLowerCase()];
  if (!match || !factor) return null;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** `8GiB`, `1.5GiB`, `512MiB`, `100B`: the largest IEC unit that says it in at most three decimals. */
export function formatBytes(bytes: number): string {
  for (const [unit, factor] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= factor) return `${Number((bytes / factor).toFixed(3))}${unit}`;
  }
  return `${bytes}B`;
}

/** Bytes as people write them: a whole number, or text with a unit such as `8GiB`. */
export const WrittenBytes = z
  .union([z.int().nonnegative(), z.string()])
  .refine((size) => typeof size === 'number' || parseBytes(size) !== null, {
    error: 'must be a size such as "512MiB" or "8GiB", or a whole number of bytes',
  });

/** The same, a number of bytes once parsed. */
export const ByteSize = WrittenBytes.transform((size) =>
  typeof size === 'number' ? size : (parseBytes(size) ?? 0),
);

/** How much: `cpu` in cores (to a thousandth), `memory` in bytes, `instances` as a count. */
export const Amounts = z
  .object({ cpu: z.number().nonnegative(), memory: z.int().nonnegative(), instances: z.int().nonnegative() })
  .meta({ id: 'Amounts' });
export type Amounts = z.infer<typeof Amounts>;

/** As people write it; a dimension that is left out has no limit. */
export const SetQuota = z
  .strictObject({
    limits: z.strictObject({
      cpu: z.number().nonnegative().max(1e6).optional().describe('Cores'),
      memory: WrittenBytes.optional().describe('Bytes, or text such as `8GiB`'),
      instances: z.int().nonnegative().optional().describe('Running containers'),
      storage: WrittenBytes.optional().describe("Of a team only: bytes of its images in Berth's registry"),
    }),
  })
  .meta({ id: 'SetQuota' });

export const Quota = z
  .object({
    scope: QuotaScope,
    name: z.string().describe('Of the team, user or project; `project.env` for an environment'),
    limits: z.object({
      cpu: z.number().optional(),
      memory: z.string().optional(),
      instances: z.int().optional(),
      storage: z.string().optional(),
    }),
    used: z.object({
      cpu: z.number(),
      memory: z.string(),
      instances: z.int(),
      storage: z
        .string()
        .optional()
        .describe('Of a team: what its images take, a layer once. Absent while the registry does not tell'),
    }),
    cost: Cost.nullable().describe('Of what is used, by the present prices; null where none are set'),
  })
  .meta({ id: 'Quota' });
export type Quota = z.infer<typeof Quota>;

/** A limit that a request would have broken: numbers in cores, bytes and instances. */
export const BrokenLimit = z.object({
  scope: QuotaScope,
  name: z.string(),
  dimension: Dimension,
  limit: z.number(),
  used: z.number(),
  requested: z.number(),
});
export type BrokenLimit = z.infer<typeof BrokenLimit>;

/** Where an environment stands for other reservations: a build holds what it uses beside them all. No environment is called so. */
const BuildPlace = z.templateLiteral(['_build.', Id]);
export const buildPlace = (id: string): z.infer<typeof BuildPlace> => `_build.${id}`;

/**
 * Quota held for what an environment is about to run. `amounts` is all that the environment will use, not the
 * difference: while it rolls out, the larger of what is committed and what is reserved counts.
 */
export const Reservation = z.object({
  id: Id.describe('Of the deployment or the build: reserving it twice is reserving it once'),
  team: Name,
  user: Name,
  project: Name,
  environment: Name.or(BuildPlace),
  amounts: Amounts,
  expiresInSeconds: z.int().min(1).max(86_400),
});
export type Reservation = z.infer<typeof Reservation>;
