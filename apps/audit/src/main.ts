import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { auditService } from './app.module.js';
import { auditEnv } from './env.js';

void startService(auditService(auditEnv()));
