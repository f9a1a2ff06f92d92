import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import {
  actions,
  resourceRpc,
  type CatalogEntry,
  type ChangedResource,
  type Deployment,
  type Page,
  type Resource,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Catalog } from './catalog.js';
import { ResourceChanges } from './resource-changes.js';
import { ResourcesService } from './resources.js';

@Controller()
export class ResourcesController {
  constructor(
    private readonly catalog: Catalog,
    private readonly resources: ResourcesService,
    private readonly changes: ResourceChanges,
  ) {}

  @Handles(resourceRpc.listCatalog)
  @Performs(actions.catalogList)
  listCatalog(request: z.infer<typeof resourceRpc.listCatalog.request>): Promise<Page<CatalogEntry>> {
    return this.catalog.list(request);
  }

  @Handles(resourceRpc.getCatalogEntry)
  @Performs(actions.catalogList)
  getCatalogEntry({
    team,
    name,
  }: z.infer<typeof resourceRpc.getCatalogEntry.request>): Promise<CatalogEntry> {
    return this.catalog.get(team, name);
  }

  @Handles(resourceRpc.setCatalogEntry)
  @Performs(actions.catalogSet)
  setCatalogEntry(request: z.infer<typeof resourceRpc.setCatalogEntry.request>): Promise<CatalogEntry> {
    return this.catalog.set(request);
  }

  @Handles(resourceRpc.removeCatalogEntry)
  @Performs(actions.catalogRemove)
  removeCatalogEntry({
    team,
    name,
  }: z.infer<typeof resourceRpc.removeCatalogEntry.request>): Promise<Record<string, never>> {
    return this.catalog.remove(team, name);
  }

  @Handles(resourceRpc.add)
  @Performs(actions.resourceAdd)
  add(request: z.infer<typeof resourceRpc.add.request>): Promise<ChangedResource> {
    return this.changes.add(request);
  }

  @Handles(resourceRpc.list)
  @Performs(actions.resourceList)
  list(request: z.infer<typeof resourceRpc.list.request>): Promise<Page<Resource>> {
    return this.resources.list(request);
  }

  @Handles(resourceRpc.get)
  @Performs(actions.resourceRead)
  get({ project, environment, name }: z.infer<typeof resourceRpc.get.request>): Promise<Resource> {
    return this.resources.get(project, environment, name);
  }

  @Handles(resourceRpc.remove)
  @Performs(actions.resourceRemove)
  remove(request: z.infer<typeof resourceRpc.remove.request>): Promise<Deployment> {
    return this.changes.remove(request);
  }

  @Handles(resourceRpc.rotate)
  @Performs(actions.resourceRotate)
  rotate(request: z.infer<typeof resourceRpc.rotate.request>): Promise<ChangedResource> {
    return this.changes.rotate(request);
  }

  @Handles(resourceRpc.upgrade)
  @Performs(actions.resourceUpgrade)
  upgrade(request: z.infer<typeof resourceRpc.upgrade.request>): Promise<ChangedResource> {
    return this.changes.upgrade(request);
  }
}
