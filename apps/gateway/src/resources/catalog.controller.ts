import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CatalogEntry,
  Name,
  page,
  PageRequest,
  resourceRpc,
  SetCatalogEntry,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InTeam } from '../http/places.js';

const ByEntry = InTeam.extend({ name: Name });
type ByEntry = z.infer<typeof ByEntry>;

/** What resources are made from. */
@ApiTags('Resources')
@Controller('v1/teams/:team/catalog')
export class CatalogController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.catalogList, {
    answer: page(CatalogEntry),
    errors: ['CURSOR_INVALID'],
    description: "The entries that come with Berth, and the team's own, which stand before them.",
  })
  list(
    @Param({ schema: InTeam }) place: InTeam,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<CatalogEntry>> {
    return this.rpc.call(resourceRpc.listCatalog, { ...query, ...place });
  }

  @Get(':name')
  @Operation(actions.catalogList, { answer: CatalogEntry, summary: 'See an entry of the catalog' })
  get(@Param({ schema: ByEntry }) place: ByEntry): Promise<CatalogEntry> {
    return this.rpc.call(resourceRpc.getCatalogEntry, place);
  }

  @Put(':name')
  @Operation(actions.catalogSet, {
    answer: CatalogEntry,
    errors: ['CATALOG_ENTRY_INVALID'],
    description: 'Resources that were made from the entry before stay as they are.',
  })
  set(
    @Param({ schema: ByEntry }) place: ByEntry,
    @Body({ schema: SetCatalogEntry }) body: z.infer<typeof SetCatalogEntry>,
  ): Promise<CatalogEntry> {
    return this.rpc.call(resourceRpc.setCatalogEntry, { ...body, ...place });
  }

  @Delete(':name')
  @Operation(actions.catalogRemove)
  async remove(@Param({ schema: ByEntry }) place: ByEntry): Promise<void> {
    await this.rpc.call(resourceRpc.removeCatalogEntry, place);
  }
}
