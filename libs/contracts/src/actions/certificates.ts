import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** Certificates that are brought, for host names of the platform. There is no action that reads a key. */
const certificates = { owner: 'scheduler', resource: ['Platform'], permission: 'administer' } as const;
export const certificateSet = defineAction({
  name: 'certificate.set',
  summary: 'Bring a certificate for a host name',
  ...change,
  ...certificates,
  context: z.object({ host: z.string() }),
});
export const certificateRemove = defineAction({
  name: 'certificate.remove',
  summary: 'Remove a certificate that was brought',
  ...change,
  ...certificates,
  context: z.object({ host: z.string() }),
});
export const certificateList = defineAction({
  name: 'certificate.list',
  summary: 'List the certificates that were brought, without their keys',
  ...read,
  ...certificates,
});
