import { CreateOutbox1700000000000 } from '@berth/messaging';
import { Identity1763900000001 } from './1763900000001-identity.js';
import { Policies1763900000002 } from './1763900000002-policies.js';
import { Decisions1763900000003 } from './1763900000003-decisions.js';
import { PolicyBindings1763900000004 } from './1763900000004-policy-bindings.js';
import { PolicyExceptions1763900000005 } from './1763900000005-policy-exceptions.js';
import { PolicyHooks1763900000006 } from './1763900000006-policy-hooks.js';
import { Logins1763900000007 } from './1763900000007-logins.js';
import { IdentityEpoch1763900000008 } from './1763900000008-identity-epoch.js';
import { Pulse1763900000009 } from './1763900000009-pulse.js';
import { PolicyReadings1763900000010 } from './1763900000010-policy-readings.js';

export const migrations = [
  CreateOutbox1700000000000,
  Identity1763900000001,
  Policies1763900000002,
  Decisions1763900000003,
  PolicyBindings1763900000004,
  PolicyExceptions1763900000005,
  PolicyHooks1763900000006,
  Logins1763900000007,
  IdentityEpoch1763900000008,
  Pulse1763900000009,
  PolicyReadings1763900000010,
];
