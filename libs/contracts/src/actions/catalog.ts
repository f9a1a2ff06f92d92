/** The action catalog: every action of the platform, by whom it belongs to. */
export * from './identity.js';
export * from './policies.js';
export * from './workloads.js';
export * from './instances.js';
export * from './exec.js';
export * from './stats.js';
export * from './secrets.js';
export * from './certificates.js';
export * from './ingress.js';
export * from './nodes.js';
export * from './resources.js';
export * from './images.js';
export * from './upstreams.js';
export * from './retention.js';
export * from './quotas.js';
export * from './prices.js';
export * from './audit.js';
