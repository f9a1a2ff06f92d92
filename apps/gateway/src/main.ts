import 'reflect-metadata';
import { startService } from '@berth/runtime';
import { gatewayService } from './app.module.js';
import { gatewayEnv } from './env.js';

void startService(gatewayService(gatewayEnv()));
