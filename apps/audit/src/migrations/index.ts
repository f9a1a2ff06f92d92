import { CreateOutbox1700000000000 } from '@berth/messaging';
import { CreateRecords1763900000001 } from './1763900000001-records.js';
import { Times1763900000002 } from './1763900000002-times.js';

export const migrations = [CreateOutbox1700000000000, CreateRecords1763900000001, Times1763900000002];
