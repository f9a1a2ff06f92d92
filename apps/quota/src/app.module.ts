import { type DynamicModule, Module } from '@nestjs/common';
import { ActionsModule, checkMediation, QUOTA_PORT } from '@berth/actions';
import { MessagingModule, serveRpc } from '@berth/messaging';
import { DatabaseModule, RuntimeModule, type ServiceOptions } from '@berth/runtime';
import type { QuotaEnv } from './env.js';
import { Ledger } from './ledger/ledger.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { LimitEntity } from './limits/limit.entity.js';
import { LimitsModule } from './limits/limits.module.js';
import { PricesEntity } from './prices/prices.entity.js';
import { PricesModule } from './prices/prices.module.js';
import { migrations } from './migrations/index.js';

/** How much of it, for whom, at what price: limits, and the ledger that they are judged against. */
@Module({})
export class AppModule {
  static forEnv(env: QuotaEnv): DynamicModule {
    const ledger = LedgerModule.sweepingEvery(env.QUOTA_SWEEP_SECONDS);
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('quota', env),
        DatabaseModule.forService({
          service: 'quota',
          env,
          entities: [LimitEntity, PricesEntity],
          migrations,
        }),
        MessagingModule.forService({ service: 'quota', env, outbox: true }),
        ActionsModule.forService({ imports: [ledger], quota: { provide: QUOTA_PORT, useExisting: Ledger } }),
        ledger,
        LimitsModule,
        PricesModule,
      ],
    };
  }
}

/** The service as `startService` and tests start it. */
export function quotaService(env: QuotaEnv): ServiceOptions {
  return { name: 'quota', module: AppModule.forEnv(env), env, prepare: [checkMediation, serveRpc] };
}
