import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ActionsModule, checkMediation } from '@berth/actions';
import { MessagingModule, serveRpc } from '@berth/messaging';
import { DatabaseModule, RuntimeModule, type ServiceOptions } from '@berth/runtime';
import { BuildsModule } from './builds/builds.module.js';
import { BackupsModule } from './backups/backups.module.js';
import { CertificateEntity } from './certificates/certificate.entity.js';
import { CertificatesModule } from './certificates/certificates.module.js';
import { NodesModule } from './nodes/nodes.module.js';
import { ResourceOperationEntity } from './backups/operation.entity.js';
import { DeploymentEntity } from './deployments/deployment.entity.js';
import { DeploymentsModule } from './deployments/deployments.module.js';
import { EngineModule } from './engine/engine.module.js';
import { SCHEDULER_ENV, type SchedulerEnv } from './env.js';
import { ComparisonsModule } from './comparisons/comparisons.module.js';
import { ConfigurationEntity } from './environments/configuration.entity.js';
import { EnvironmentEntity } from './environments/environment.entity.js';
import { EnvironmentsModule } from './environments/environments.module.js';
import { MetadataModule } from './metadata/metadata.module.js';
import { InstancesModule } from './instances/instances.module.js';
import { migrations } from './migrations/index.js';
import { ProjectEntity } from './projects/project.entity.js';
import { ProjectsModule } from './projects/projects.module.js';
import { ReconciliationModule } from './reconciliation/reconciliation.module.js';
import { ReleaseEntity } from './releases/release.entity.js';
import { ReviewsModule } from './reviews/reviews.module.js';
import { ReleasesModule } from './releases/releases.module.js';
import { CatalogEntryEntity } from './resources/catalog-entry.entity.js';
import { ResourcesModule } from './resources/resources.module.js';
import { rekeySecrets } from './secrets/rekeying.js';
import { SecretEntity } from './secrets/secret.entity.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { ServicesModule } from './services/services.module.js';
import { UpkeepModule } from './upkeep/upkeep.module.js';

const entities = [
  ProjectEntity,
  EnvironmentEntity,
  ConfigurationEntity,
  ReleaseEntity,
  DeploymentEntity,
  SecretEntity,
  CatalogEntryEntity,
  ResourceOperationEntity,
  CertificateEntity,
];

/** What should run and what does. */
@Global()
@Module({})
export class AppModule {
  static forEnv(env: SchedulerEnv): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('scheduler', env),
        DatabaseModule.forService({ service: 'scheduler', env, entities, migrations }),
        MessagingModule.forService({ service: 'scheduler', env, outbox: true }),
        ActionsModule.forService(),
        EngineModule,
        ProjectsModule,
        EnvironmentsModule,
        ReleasesModule,
        SecretsModule,
        CertificatesModule,
        NodesModule,
        DeploymentsModule,
        ResourcesModule,
        BackupsModule,
        ReconciliationModule,
        ComparisonsModule,
        ReviewsModule,
        ServicesModule,
        MetadataModule,
        InstancesModule,
        BuildsModule,
        UpkeepModule,
      ],
      providers: [{ provide: SCHEDULER_ENV, useValue: env }],
      exports: [SCHEDULER_ENV],
    };
  }
}

/** The service as `startService` and tests start it. */
export function schedulerService(env: SchedulerEnv): ServiceOptions {
  return {
    name: 'scheduler',
    module: AppModule.forEnv(env),
    env,
    prepare: [checkMediation, rekeySecrets, serveRpc],
  };
}
