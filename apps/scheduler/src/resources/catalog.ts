import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  toPage,
  type CatalogEntry,
  type Page,
  teamResource,
  type resourceRpc,
} from '@berth/contracts';
import { builtIn } from './built-in.js';
import { CatalogEntryEntity } from './catalog-entry.entity.js';
import { readEntry, toCatalogEntry } from './catalog-entry.js';

type List = z.infer<typeof resourceRpc.listCatalog.request>;
type Set = z.infer<typeof resourceRpc.setCatalogEntry.request>;

interface Found {
  name: string;
  team: string | null;
  file: string;
}

/** What resources are made from: the entries that come with Berth, and a team's own, which stand before them. */
@Injectable()
export class Catalog {
  constructor(
    @InjectRepository(CatalogEntryEntity) private readonly entries: Repository<CatalogEntryEntity>,
    private readonly pipeline: ActionPipeline,
  ) {}

  /** Null where there is none of this name. */
  async find(team: string, name: string): Promise<Found | null> {
    const own = await this.entries.findOneBy({ team, name });
    const file = own?.file ?? builtIn.get(name);
    return file === undefined ? null : { name, team: own ? team : null, file };
  }

  async list({ team, limit, cursor }: List): Promise<Page<CatalogEntry>> {
    return this.pipeline.read(
      { action: actions.catalogList, resource: teamResource(team), context: {} },
      async () => {
        const own = new Map((await this.entries.findBy({ team })).map(({ name, file }) => [name, file]));
        const after = positionOf(cursor, 'name');
        const found = [...new Map([...builtIn, ...own])]
          .map(([name, file]): Found => ({ name, team: own.has(name) ? team : null, file }))
          .filter(({ name }) => name > after)
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .slice(0, limit + 1);
        return toPage(found, limit, shown, ({ name }) => ({ name }));
      },
    );
  }

  async get(team: string, name: string): Promise<CatalogEntry> {
    return this.pipeline.read(
      { action: actions.catalogList, resource: teamResource(team), context: {} },
      async () => {
        const found = await this.find(team, name);
        if (!found) throw noEntry(name);
        return shown(found);
      },
    );
  }

  /** Adds or replaces a team's own entry. Resources made from the one before stay as they are. */
  async set({ team, name, file }: Set): Promise<CatalogEntry> {
    const { image } = readEntry(name, file);
    const intent = { action: actions.catalogSet, resource: teamResource(team), context: { name, image } };
    const createdBy = requireActor().user;
    return this.pipeline.change(intent, async (tx) => {
      await tx.upsert(CatalogEntryEntity, { team, name, file, createdBy }, ['team', 'name']);
      return { result: shown({ name, team, file }), outcome: {} };
    });
  }

  async remove(team: string, name: string): Promise<Record<string, never>> {
    const intent = { action: actions.catalogRemove, resource: teamResource(team), context: { name } };
    return this.pipeline.change(intent, async (tx) => {
      const { affected } = await tx.delete(CatalogEntryEntity, { team, name });
      if (!affected)
        throw new BerthError('NOT_FOUND', `The team "${team}" has no entry "${name}" of its own.`);
      return { result: {}, outcome: {} };
    });
  }
}

export function noEntry(name: string): BerthError {
  return new BerthError(
    'NOT_FOUND',
    `The catalog has no entry "${name}". "berth catalog ls" lists those it has.`,
  );
}

function shown({ name, team, file }: Found): CatalogEntry {
  return toCatalogEntry(name, team, file);
}
