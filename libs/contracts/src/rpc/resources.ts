import { z } from 'zod';
import { Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import {
  CatalogEntry,
  ChangedResource,
  CreateResource,
  CreateRestore,
  Resource,
  ResourceOperation,
  SetCatalogEntry,
  UpgradeResource,
} from '../resources.js';
import { Deployment } from '../workloads.js';
import { defineRpc } from './define.js';

/** Taking in a change may mean a cold look-up of an image in an upstream registry, in milliseconds. */
const ROLLOUT_MS = 60_000;
const done = z.object({});
const inEnvironment = z.strictObject({ project: Name, environment: Name });
const named = inEnvironment.extend({ name: Name });
const entry = z.strictObject({ team: Name, name: Name });

export const resourceRpc = {
  listCatalog: defineRpc('scheduler', 'catalog.list', PageRequest.extend({ team: Name }), page(CatalogEntry)),
  getCatalogEntry: defineRpc('scheduler', 'catalog.get', entry, CatalogEntry),
  setCatalogEntry: defineRpc('scheduler', 'catalog.set', SetCatalogEntry.extend(entry.shape), CatalogEntry),
  removeCatalogEntry: defineRpc('scheduler', 'catalog.remove', entry, done),

  add: defineRpc(
    'scheduler',
    'resource.add',
    CreateResource.extend(inEnvironment.shape),
    ChangedResource,
    ROLLOUT_MS,
  ),
  list: defineRpc('scheduler', 'resource.list', PageRequest.extend(inEnvironment.shape), page(Resource)),
  get: defineRpc('scheduler', 'resource.get', named, Resource),
  remove: defineRpc(
    'scheduler',
    'resource.remove',
    named.extend({ data: z.boolean() }),
    Deployment,
    ROLLOUT_MS,
  ),
  rotate: defineRpc('scheduler', 'resource.rotate', named, ChangedResource, ROLLOUT_MS),
  upgrade: defineRpc(
    'scheduler',
    'resource.upgrade',
    UpgradeResource.extend(named.shape),
    ChangedResource,
    ROLLOUT_MS,
  ),

  backUp: defineRpc('scheduler', 'resource.backup', named, ResourceOperation),
  restore: defineRpc('scheduler', 'resource.restore', CreateRestore.extend(named.shape), ResourceOperation),
  listOperations: defineRpc(
    'scheduler',
    'resource.operations',
    PageRequest.extend({ ...named.shape, kind: z.enum(['backup', 'restore']).optional() }),
    page(ResourceOperation),
  ),
  getOperation: defineRpc('scheduler', 'resource.operation', named.extend({ id: Id }), ResourceOperation),
};
