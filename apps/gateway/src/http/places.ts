import { GroupName, Id, Name, PolicyId, QuotaScope } from '@berth/contracts';
import { z } from 'zod';

/** What stands in paths. Names, not ids: they are what people know. */
export const ById = z.strictObject({ id: Id });
export type ById = z.infer<typeof ById>;

export const InTeam = z.strictObject({ team: Name });
export type InTeam = z.infer<typeof InTeam>;

export const AsMember = InTeam.extend({ user: Name });
export type AsMember = z.infer<typeof AsMember>;

export const ByUser = z.strictObject({ user: Name });
export type ByUser = z.infer<typeof ByUser>;

export const ByGroup = InTeam.extend({ group: GroupName });
export type ByGroup = z.infer<typeof ByGroup>;

export const ByServiceAccount = InTeam.extend({ name: Name });
export type ByServiceAccount = z.infer<typeof ByServiceAccount>;

export const InProject = z.strictObject({ project: Name });
export type InProject = z.infer<typeof InProject>;

export const InEnvironment = InProject.extend({ environment: Name });
export type InEnvironment = z.infer<typeof InEnvironment>;

export const AtService = InEnvironment.extend({ service: Name });
export type AtService = z.infer<typeof AtService>;

export const ByPolicy = z.strictObject({ id: PolicyId });
export type ByPolicy = z.infer<typeof ByPolicy>;

export const ByHook = z.strictObject({ name: Name });
export type ByHook = z.infer<typeof ByHook>;

export const ByException = ByPolicy.extend({ exception: Id });
export type ByException = z.infer<typeof ByException>;

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';

/** `environments/shop.dev`, or a scope and one name. */
export const ByQuota = z.strictObject({
  scope: QuotaScope,
  name: z
    .string()
    .regex(new RegExp(`^${LABEL}(\\.${LABEL})?$`), { error: 'must be a name, or <project>.<environment>' })
    .describe('Of the team, user or project; `<project>.<environment>` of an environment'),
});
export type ByQuota = z.infer<typeof ByQuota>;
