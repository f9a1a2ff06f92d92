import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { checkMediation } from '@berth/actions';
import { MessagingModule } from '@berth/messaging';
import { RuntimeModule, type ServiceOptions } from '@berth/runtime';
import { AuditModule } from './audit/audit.module.js';
import { BuildsModule } from './builds/builds.module.js';
import { AuthenticationModule } from './authentication/authentication.module.js';
import { CertificatesModule } from './certificates/certificates.module.js';
import type { GatewayEnv } from './env.js';
import { BODY_LIMIT, guardTheDoor } from './http/door.js';
import { HttpModule } from './http/http.module.js';
import { routeUpgrades } from './http/upgrades.js';
import { IdempotencyModule } from './idempotency/idempotency.module.js';
import { IdentityModule } from './identity/identity.module.js';
import { LoginModule } from './login/login.module.js';
import { DocsModule } from './openapi/docs.module.js';
import { publishOpenApi } from './openapi/publish.js';
import { IngressModule } from './ingress/ingress.module.js';
import { ImagesModule } from './images/images.module.js';
import { NodesModule } from './nodes/nodes.module.js';
import { InstancesModule } from './instances/instances.module.js';
import { PoliciesModule } from './policies/policies.module.js';
import { QuotasModule } from './quotas/quotas.module.js';
import { ResourcesModule } from './resources/resources.module.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { StreamsModule } from './streams/streams.module.js';
import { WorkloadsModule } from './workloads/workloads.module.js';

/** What answers under `/v1`. */
const CAPABILITIES: readonly Type[] = [
  LoginModule,
  IdentityModule,
  WorkloadsModule,
  ResourcesModule,
  InstancesModule,
  SecretsModule,
  CertificatesModule,
  IngressModule,
  NodesModule,
  ImagesModule,
  BuildsModule,
  PoliciesModule,
  QuotasModule,
  AuditModule,
];

/** The one door for people: REST, live streams, and the description of both. */
@Module({})
export class AppModule {
  static forEnv(env: GatewayEnv): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('gateway', env),
        MessagingModule.forService({ service: 'gateway', env, outbox: false }),
        DiscoveryModule,
        AuthenticationModule,
        // Around everything else that surrounds a handler: it keeps what leaves.
        IdempotencyModule,
        HttpModule,
        StreamsModule,
        DocsModule,
        ...CAPABILITIES,
      ],
    };
  }
}

/** The service as `startService` and tests start it. */
export function gatewayService(env: GatewayEnv): ServiceOptions {
  return {
    name: 'gateway',
    module: AppModule.forEnv(env),
    env,
    bodyLimit: BODY_LIMIT,
    prepare: [checkMediation, guardTheDoor, routeUpgrades, publishOpenApi],
  };
}
