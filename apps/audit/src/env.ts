import type { z } from 'zod';
import { DatabaseEnv, readEnv } from '@berth/runtime';

export const AuditEnv = DatabaseEnv;
export type AuditEnv = z.infer<typeof AuditEnv>;

export const auditEnv = (): AuditEnv => readEnv(AuditEnv);
