import { nothing } from './facts.js';

/** What most actions have in common: those that change something, and those that only look. */
export const before = ['before'] as const;
export const both = ['before', 'after'] as const;
export const free = { consumes: [], outcome: nothing } as const;
export const change = { ...free, hooks: both, record: 'change' } as const;
export const read = { ...free, hooks: before, record: 'read', context: nothing } as const;
