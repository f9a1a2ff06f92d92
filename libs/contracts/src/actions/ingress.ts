import { defineAction } from './define.js';
import { read } from './kinds.js';

/** The way in is the scheduler's. */
export const ingressRead = defineAction({
  name: 'ingress.read',
  summary: 'See where requests to services come in, and whether they do',
  owner: 'scheduler',
  ...read,
  resource: ['Platform'],
  permission: 'anyone',
});
