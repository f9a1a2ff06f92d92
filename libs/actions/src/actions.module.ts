import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ActionPipeline } from './pipeline.js';
import { Gates, POLICY_PORT, QUOTA_PORT, RemotePolicy, RemoteQuota } from './ports.js';
import { ReadRecorder } from './recorder.js';

export interface ActionsOptions {
  /** Modules and providers that stand in for the remote ones: policy asks itself, quota its own ledger. */
  imports?: DynamicModule['imports'];
  policy?: Provider;
  quota?: Provider;
}

/** The pipeline, for a service with a database. */
@Global()
@Module({})
export class ActionsModule {
  static forService(options: ActionsOptions = {}): DynamicModule {
    return {
      module: ActionsModule,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      providers: [
        options.policy ?? { provide: POLICY_PORT, useClass: RemotePolicy },
        options.quota ?? { provide: QUOTA_PORT, useClass: RemoteQuota },
        Gates,
        ReadRecorder,
        ActionPipeline,
      ],
      exports: [ActionPipeline],
    };
  }
}
