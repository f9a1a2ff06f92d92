import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DeploymentsModule } from '../deployments/deployments.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { Catalog } from './catalog.js';
import { CatalogEntryEntity } from './catalog-entry.entity.js';
import { Credentials } from './credentials.js';
import { ResourceChanges } from './resource-changes.js';
import { ResourceMaking } from './resource-making.js';
import { ResourcesController } from './resources.controller.js';
import { ResourcesService } from './resources.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([CatalogEntryEntity]),
    DeploymentsModule,
    EnvironmentsModule,
    SecretsModule,
  ],
  controllers: [ResourcesController],
  providers: [Catalog, Credentials, ResourceChanges, ResourceMaking, ResourcesService],
})
export class ResourcesModule {}
