import { CreateOutbox1700000000000 } from '@berth/messaging';
import { CreateRecords1763900000001 } from './1763900000001-records.js';

export const migrations = [CreateOutbox1700000000000, CreateRecords1763900000001];
