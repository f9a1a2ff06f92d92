/** The six services, in the order in which they depend on each other's answers. */
export const SERVICE_NAMES = ['policy', 'quota', 'audit', 'registry-proxy', 'scheduler', 'gateway'] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The services with a schema of their own; the gateway keeps nothing that lasts. */
export const DATABASE_SERVICES = ['policy', 'quota', 'audit', 'registry-proxy', 'scheduler'] as const;

export type DatabaseService = (typeof DATABASE_SERVICES)[number];
