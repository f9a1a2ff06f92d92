import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IngressModule } from '../ingress/ingress.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SettlementsModule } from '../upkeep/settlements.module.js';
import { ConfigurationEntity } from './configuration.entity.js';
import { EnvironmentEntity } from './environment.entity.js';
import { EnvironmentRemoval } from './environment-removal.js';
import { EnvironmentsController } from './environments.controller.js';
import { EnvironmentsService } from './environments.js';
import { RunSpecs } from './run-specs.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([EnvironmentEntity, ConfigurationEntity]),
    IngressModule,
    ProjectsModule,
    SettlementsModule,
  ],
  controllers: [EnvironmentsController],
  providers: [EnvironmentsService, EnvironmentRemoval, RunSpecs],
  exports: [EnvironmentsService, RunSpecs],
})
export class EnvironmentsModule {}
