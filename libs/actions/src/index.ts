export * from './ports.js';
export * from './recorder.js';
export * from './pipeline.js';
export * from './team-reading.js';
export * from './in-name-of.js';
export * from './performs.js';
export * from './mediation-check.js';
export * from './actions.module.js';
export { Public } from '@berth/runtime';
