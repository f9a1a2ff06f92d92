import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { IngressModule } from '../ingress/ingress.module.js';
import { ReleasesModule } from '../releases/releases.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { SettlementsModule } from '../upkeep/settlements.module.js';
import { Changes } from './changes.js';
import { DeploymentEntity } from './deployment.entity.js';
import { DeploymentStore } from './deployment-store.js';
import { DeploymentsController } from './deployments.controller.js';
import { DeploymentsService } from './deployments.js';
import { Images } from './images.js';
import { Intake } from './intake.js';
import { Preparation } from './preparation.js';
import { Promotions } from './promotions.js';
import { Redeployment } from './redeployment.js';
import { SecretChanges } from './secret-changes.js';
import { RolloutLedger } from './rollout-ledger.js';
import { RolloutTimes } from './rollout-times.js';
import { RolloutWorker } from './rollout-worker.js';
import { RunTools } from './run-tools.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([DeploymentEntity]),
    EnvironmentsModule,
    IngressModule,
    ReleasesModule,
    SecretsModule,
    SettlementsModule,
  ],
  controllers: [DeploymentsController],
  providers: [
    Changes,
    Preparation,
    Promotions,
    Redeployment,
    SecretChanges,
    DeploymentsService,
    DeploymentStore,
    Images,
    Intake,
    RolloutLedger,
    RolloutTimes,
    RolloutWorker,
    RunTools,
  ],
  exports: [Images, Preparation, Redeployment],
})
export class DeploymentsModule {}
