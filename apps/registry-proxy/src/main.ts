import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { registryProxyService } from './app.module.js';
import { registryEnv } from './env.js';

void startService(registryProxyService(registryEnv()));
