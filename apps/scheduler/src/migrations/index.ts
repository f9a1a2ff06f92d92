import { CreateOutbox1700000000000 } from '@berth/messaging';
import { CreateWorkloads1763900000001 } from './1763900000001-workloads.js';
import { CreateSettlements1763900000002 } from './1763900000002-settlements.js';
import { CreateConfigurations1764000000000 } from './1764000000000-configurations.js';
import { CreateSecrets1764000000001 } from './1764000000001-secrets.js';
import { CreateEnvironmentChanges1764000003000 } from './1764000003000-environment-changes.js';
import { CreateResources1764300000000 } from './1764300000000-resources.js';
import { AddDrift1764300000001 } from './1764300000001-drift.js';
import { AddServing1764300000010 } from './1764300000010-serving.js';
import { CreateHosts1764400000000 } from './1764400000000-hosts.js';
import { CreateCertificates1764400000001 } from './1764400000001-certificates.js';
import { AddHaltedServices1764500000000 } from './1764500000000-halted-services.js';

export const migrations = [
  CreateOutbox1700000000000,
  CreateWorkloads1763900000001,
  CreateSettlements1763900000002,
  CreateConfigurations1764000000000,
  CreateSecrets1764000000001,
  CreateEnvironmentChanges1764000003000,
  CreateResources1764300000000,
  AddDrift1764300000001,
  AddServing1764300000010,
  CreateHosts1764400000000,
  CreateCertificates1764400000001,
  AddHaltedServices1764500000000,
];
