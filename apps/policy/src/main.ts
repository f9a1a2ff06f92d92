import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { startService } from '@berth/runtime';
import { policyService } from './app.module.js';
import { policyEnv } from './env.js';

// A collection of the old generation takes both of a small machine's cores from decisions for a tenth of a second. It comes at four
// times what is in use, and not at whatever V8 makes of the pace of the moment: a third as often under load.
setFlagsFromString('--heap-growing-percent=300');

void startService(policyService(policyEnv()));
