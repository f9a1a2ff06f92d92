import { Module } from '@nestjs/common';
import { BackupsController } from './backups.controller.js';
import { CatalogController } from './catalog.controller.js';
import { ResourcesController } from './resources.controller.js';

@Module({ controllers: [CatalogController, ResourcesController, BackupsController] })
export class ResourcesModule {}
