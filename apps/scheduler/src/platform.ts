import type { ResourceRef } from '@berth/contracts';

/** What belongs to no team: the installation as a whole. */
export const PLATFORM: ResourceRef = { type: 'Platform', id: 'berth' };
