import { z } from 'zod';
import {
  CollectedGarbage,
  CollectGarbage,
  ImageDetails,
  ImageTag,
  InspectImage,
  ListImageTags,
  ListRepositories,
  ReadRegistryUsage,
  RegistryUsage,
  RemoveImage,
  Repository,
  ResolveImage,
  ResolvedImage,
  ScrubbedImages,
  ScrubImages,
} from '../images.js';
import { Id, Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import { Prices, SetPrices } from '../prices.js';
import { BrokenLimit, Quota, QuotaScope, Reservation, SetQuota } from '../quotas.js';
import { AuditQuery, AuditRecord } from '../records.js';
import {
  AppliedRetention,
  InRetentionScope,
  ListRetention,
  RetentionRule,
  SetScopedRetention,
} from '../retention.js';
import { CheckedUpstream, NamedUpstream, SetNamedUpstream, Upstream } from '../upstreams.js';
import { defineRpc } from './define.js';

const done = z.object({});

export const registryRpc = {
  /** Finds an image as `image.pull` of the caller; a cold look-up asks the upstream. */
  resolve: defineRpc('registry-proxy', 'resolve', ResolveImage, ResolvedImage, 45_000),
  /** What an engine shows to push an image to this repository as the caller; asked by the scheduler, never from outside. */
  pushLogin: defineRpc(
    'registry-proxy',
    'push-login',
    z.strictObject({ repository: z.string().min(1).max(255) }),
    z.object({ token: z.string() }),
  ),
  repositories: defineRpc('registry-proxy', 'repositories', ListRepositories, page(Repository)),
  usage: defineRpc('registry-proxy', 'usage', ReadRegistryUsage, RegistryUsage),
  tags: defineRpc('registry-proxy', 'tags', ListImageTags, page(ImageTag)),
  remove: defineRpc('registry-proxy', 'remove', RemoveImage, done),
  inspect: defineRpc('registry-proxy', 'inspect', InspectImage, ImageDetails, 45_000),
  scrub: defineRpc('registry-proxy', 'scrub', ScrubImages, ScrubbedImages, 45_000),
  upstreams: defineRpc('registry-proxy', 'upstreams', PageRequest, page(Upstream)),
  setUpstream: defineRpc('registry-proxy', 'upstreams.set', SetNamedUpstream, Upstream),
  removeUpstream: defineRpc('registry-proxy', 'upstreams.remove', NamedUpstream, done),
  checkUpstream: defineRpc('registry-proxy', 'upstreams.check', NamedUpstream, CheckedUpstream, 60_000),
  retention: defineRpc('registry-proxy', 'retention', ListRetention, page(RetentionRule)),
  setRetention: defineRpc('registry-proxy', 'retention.set', SetScopedRetention, RetentionRule),
  removeRetention: defineRpc('registry-proxy', 'retention.remove', InRetentionScope, done),
  previewRetention: defineRpc(
    'registry-proxy',
    'retention.preview',
    SetScopedRetention,
    AppliedRetention,
    45_000,
  ),
  applyRetention: defineRpc('registry-proxy', 'retention.apply', InRetentionScope, AppliedRetention, 45_000),
  /** Bytes of images by team; asked by the quota service to tell them, never from outside. */
  storage: defineRpc(
    'registry-proxy',
    'storage',
    z.strictObject({ teams: z.array(Name).max(1_000) }),
    z.object({ used: z.record(z.string(), z.int()) }),
  ),
  collect: defineRpc('registry-proxy', 'collect', CollectGarbage, CollectedGarbage, 45_000),
};

/** `team` is the owner of the project or environment asked about, as the gateway learnt it from the scheduler. */
const quotaKey = z.strictObject({ scope: QuotaScope, name: z.string().max(127), team: Name.optional() });

export const quotaRpc = {
  list: defineRpc('quota', 'list', PageRequest, page(Quota)),
  get: defineRpc('quota', 'get', quotaKey, Quota),
  set: defineRpc('quota', 'set', quotaKey.extend(SetQuota.shape), Quota),
  readPrices: defineRpc('quota', 'price.read', z.strictObject({}), Prices),
  setPrices: defineRpc('quota', 'price.set', SetPrices, Prices),
  // The ledger: called by the pipeline of other services only, never from outside.
  reserve: defineRpc(
    'quota',
    'reserve',
    Reservation,
    z.object({ reserved: z.boolean(), limits: z.array(BrokenLimit) }),
  ),
  /** Bytes that a team's images may take, null for any number; what they take is known where they are. */
  storageLimit: defineRpc(
    'quota',
    'storage-limit',
    z.strictObject({ team: Name }),
    z.object({ bytes: z.int().nullable() }),
  ),
  commit: defineRpc('quota', 'commit', z.strictObject({ id: Id }), done),
  release: defineRpc('quota', 'release', z.strictObject({ id: Id }), done),
  /** The environment is gone: all that it held is free. */
  vacate: defineRpc('quota', 'vacate', z.strictObject({ project: Name, environment: Name }), done),
};

export const auditRpc = {
  list: defineRpc('audit', 'list', AuditQuery, page(AuditRecord)),
  /** A page of what is taken out. */
  export: defineRpc('audit', 'export', AuditQuery, page(AuditRecord)),
};
