import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { ImagesInUseController } from './images-in-use.controller.js';
import { ReleaseEntity } from './release.entity.js';
import { ReleasesController } from './releases.controller.js';
import { ReleasesService } from './releases.js';

@Module({
  imports: [TypeOrmModule.forFeature([ReleaseEntity]), EnvironmentsModule],
  controllers: [ReleasesController, ImagesInUseController],
  providers: [ReleasesService],
  exports: [ReleasesService],
})
export class ReleasesModule {}
