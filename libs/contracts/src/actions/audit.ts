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
