import { z } from 'zod';
import { DatabaseEnv, readEnv } from '@berth/runtime';

export const QuotaEnv = DatabaseEnv.extend({
  /** How often reservations past their expiry are swept. They count no more from the moment of it, swept or not. */
  QUOTA_SWEEP_SECONDS: z.coerce.number().min(0.05).max(3_600).default(5),
});
export type QuotaEnv = z.infer<typeof QuotaEnv>;

export const quotaEnv = (): QuotaEnv => readEnv(QuotaEnv);
