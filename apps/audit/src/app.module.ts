import { type DynamicModule, Module } from '@nestjs/common';
import { ActionsModule, checkMediation } from '@berth/actions';
import { MessagingModule, serveRpc } from '@berth/messaging';
import { DatabaseModule, RuntimeModule, type ServiceOptions } from '@berth/runtime';
import type { AuditEnv } from './env.js';
import { IngestModule } from './ingest/ingest.module.js';
import { migrations } from './migrations/index.js';
import { ReadingModule } from './reading/reading.module.js';
import { RecordEntity } from './records/record.entity.js';

/** What happened: takes in the records of all services, keeps them, and shows them to whoever may see them. */
@Module({})
export class AppModule {
  static forEnv(env: AuditEnv): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('audit', env),
        DatabaseModule.forService({ service: 'audit', env, entities: [RecordEntity], migrations }),
        MessagingModule.forService({ service: 'audit', env, outbox: true }),
        ActionsModule.forService(),
        IngestModule,
        ReadingModule,
      ],
    };
  }
}

/** The service as `startService` and tests start it. */
export function auditService(env: AuditEnv): ServiceOptions {
  return { name: 'audit', module: AppModule.forEnv(env), env, prepare: [checkMediation, serveRpc] };
}
