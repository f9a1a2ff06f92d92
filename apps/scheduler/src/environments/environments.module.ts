import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ProjectsModule } from '../projects/projects.module.js';
import { SettlementsModule } from '../upkeep/settlements.module.js';
import { EnvironmentEntity } from './environment.entity.js';
import { EnvironmentRemoval } from './environment-removal.js';
import { EnvironmentsController } from './environments.controller.js';
import { EnvironmentsService } from './environments.js';

@Module({
  imports: [TypeOrmModule.forFeature([EnvironmentEntity]), ProjectsModule, SettlementsModule],
  controllers: [EnvironmentsController],
  providers: [EnvironmentsService, EnvironmentRemoval],
  exports: [EnvironmentsService],
})
export class EnvironmentsModule {}
