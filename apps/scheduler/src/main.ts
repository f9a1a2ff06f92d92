import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { schedulerService } from './app.module.js';
import { schedulerEnv } from './env.js';

void startService(schedulerService(schedulerEnv()));
