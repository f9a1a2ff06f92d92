import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { quotaService } from './app.module.js';
import { quotaEnv } from './env.js';

void startService(quotaService(quotaEnv()));
