import { defineAction } from './define.js';
import { read } from './kinds.js';

/** The audit log. */
export const auditRead = defineAction({
  name: 'audit.read',
  summary: 'Read the audit log',
  owner: 'audit',
  ...read,
  resource: ['Platform', 'Team'],
  permission: 'view',
});

/** Asked for each batch of it, so that one that takes long ends when it may go on no more. */
export const auditExport = defineAction({
  name: 'audit.export',
  summary: 'Take the audit log out',
  owner: 'audit',
  ...read,
  resource: ['Platform', 'Team'],
  permission: 'maintain',
});
