import { CreateOutbox1700000000000 } from '@berth/messaging';
import { CreateLedger1763900000001 } from './1763900000001-ledger.js';
import { CreateUsage1763900000002 } from './1763900000002-usage.js';
import { CreateLedgerFunctions1763900000003 } from './1763900000003-ledger-functions.js';
import { CreatePrices1763900000004 } from './1763900000004-prices.js';
import { LimitStorage1763900000005 } from './1763900000005-storage.js';

export const migrations = [
  CreateOutbox1700000000000,
  CreateLedger1763900000001,
  CreateUsage1763900000002,
  CreateLedgerFunctions1763900000003,
  CreatePrices1763900000004,
  LimitStorage1763900000005,
];
