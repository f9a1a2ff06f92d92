import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  decodeCursor,
  invalidCursor,
  PLATFORM,
  toPage,
  QuotaScope,
  quotaSetEvent,
  type Page,
  type PageRequest,
  type Quota,
  type SetQuota,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { LimitStore } from './limit-store.js';
import { toLimits } from './quota-shape.js';
import { quotaResource, requireTeamForStorage, type QuotaKey } from './quota-subject.js';
import { StoredImages } from './stored-images.js';

/** Limits, as people see and set them: each an action that passes the pipeline. */
@Injectable()
export class LimitsService {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly store: LimitStore,
    private readonly images: StoredImages,
  ) {}

  /** Admins see all limits; everyone else their own, and those of their teams with their projects. */
  async list({ limit, cursor }: PageRequest): Promise<Page<Quota>> {
    const { admin, user, teams } = requireActor();
    const after = positionOf(cursor);
    return this.pipeline.read({ action: actions.quotaList, resource: PLATFORM, context: {} }, async () => {
      const viewer = admin ? null : { user, teams: teams.map(({ team }) => team) };
      const found = await this.images.addTo(await this.store.list(viewer, after, limit + 1));
      return toPage(
        found,
        limit,
        (quota) => quota,
        ({ scope, name }) => ({ scope, name }),
      );
    });
  }

  get(key: QuotaKey): Promise<Quota> {
    const intent = { action: actions.quotaRead, resource: quotaResource(key), context: {} };
    return this.pipeline.read(intent, async () => this.told(await this.store.get(key)));
  }

  /** Replaces all limits of the scope. May go below what is used: then nothing more fits until less is. */
  async set({ limits: wanted, ...key }: QuotaKey & z.infer<typeof SetQuota>): Promise<Quota> {
    const resource = quotaResource(key);
    if (wanted.storage !== undefined) requireTeamForStorage(key.scope);
    const limits = toLimits({ limits: wanted });
    const context = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
    const set = await this.pipeline.change(
      { action: actions.quotaSet, resource, context },
      async (transaction) => {
        await this.store.replace(transaction, key, limits);
        const quota = await this.store.get(key, transaction);
        return { result: quota, outcome: {}, events: [draftEvent(quotaSetEvent, resource, quota)] };
      },
    );
    return this.told(set);
  }

  /** The registry's word on what images take is no part of the change. */
  private async told(quota: Quota): Promise<Quota> {
    const [told] = await this.images.addTo([quota]);
    return told;
  }
}

function positionOf(cursor: string | undefined): { scope: QuotaScope | ''; name: string } {
  if (cursor === undefined) return { scope: '', name: '' };
  const { scope, name } = decodeCursor(cursor) ?? {};
  const known = QuotaScope.safeParse(scope);
  if (known.success && typeof name === 'string') return { scope: known.data, name };
  throw invalidCursor();
}
