import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { ServiceName } from '@berth/contracts';
import type { BaseEnv } from './env.js';
import { Health, HealthController } from './health.js';
import { createLogger } from './logger.js';
import { Metrics, MetricsController } from './metrics.js';
import { ProblemFilter } from './problem-filter.js';
import { LOGGER, SERVICE_NAME } from './tokens.js';

/** What every service has: its logger, its health, its metrics and the one error filter. */
@Global()
@Module({})
export class RuntimeModule {
  static forService(service: ServiceName, env: Pick<BaseEnv, 'LOG_LEVEL'>): DynamicModule {
    return {
      module: RuntimeModule,
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: SERVICE_NAME, useValue: service },
        { provide: LOGGER, useFactory: () => createLogger(service, env.LOG_LEVEL) },
        { provide: APP_FILTER, useClass: ProblemFilter },
        Health,
        Metrics,
      ],
      exports: [SERVICE_NAME, LOGGER, Health, Metrics],
    };
  }
}
