import { z } from 'zod';
import { Name, Timestamp } from './names.js';

/** What becomes of what was changed behind Berth's back. */
export const OnDrift = z
  .enum(['report', 'mend'])
  .describe('What becomes of what was changed behind Berth: it is reported, or also mended');
export type OnDrift = z.infer<typeof OnDrift>;

export const SetOnDrift = z.strictObject({ onDrift: OnDrift }).meta({ id: 'SetOnDrift' });

/** One thing that the engine has otherwise than what was rolled out. */
export const DriftFinding = z
  .object({
    service: Name.nullable().describe('Null where it is of no service: the network'),
    path: z.string().describe('As in `environment.LEVEL` or `replicas`; empty where it is the whole service'),
    wanted: z.string().nullable().describe('What was rolled out; null where there should be nothing'),
    found: z.string().nullable().describe('What is there; null where there is nothing'),
  })
  .meta({ id: 'DriftFinding' });
export type DriftFinding = z.infer<typeof DriftFinding>;

/** All that was found at one time. */
export const Drift = z.object({ foundAt: Timestamp, findings: z.array(DriftFinding) }).meta({ id: 'Drift' });
export type Drift = z.infer<typeof Drift>;
