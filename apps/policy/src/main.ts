import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { policyService } from './app.module.js';
import { policyEnv } from './env.js';

void startService(policyService(policyEnv()));
