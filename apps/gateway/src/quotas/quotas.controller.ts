import { Body, Controller, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  BerthError,
  page,
  PageRequest,
  Quota,
  quotaRpc,
  schedulerRpc,
  SetQuota,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByQuota } from '../http/places.js';

@ApiTags('Quotas')
@Controller('v1/quotas')
export class QuotasController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.quotaList, { answer: page(Quota), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<Quota>> {
    return this.rpc.call(quotaRpc.list, query);
  }

  @Get(':scope/:name')
  @Operation(actions.quotaRead, { answer: Quota })
  async get(@Param({ schema: ByQuota }) place: ByQuota): Promise<Quota> {
    return this.rpc.call(quotaRpc.get, { ...place, team: await this.ownerOf(place) });
  }

  @Put(':scope/:name')
  @Operation(actions.quotaSet, {
    answer: Quota,
    description: 'Replaces the limits: a dimension that is left out has none.',
  })
  async set(
    @Param({ schema: ByQuota }) place: ByQuota,
    @Body({ schema: SetQuota }) body: z.output<typeof SetQuota>,
  ): Promise<Quota> {
    return this.rpc.call(quotaRpc.set, { ...place, ...body, team: await this.ownerOf(place) });
  }

  /** The team that owns a project or an environment: the scheduler knows, and says so to whoever may see it. */
  private async ownerOf({ scope, name }: ByQuota): Promise<string | undefined> {
    const [project, environment, ...more] = name.split('.');
    const parts = environment === undefined ? 1 : 2;
    if (more.length || parts !== (scope === 'environments' ? 2 : 1)) {
      const form = scope === 'environments' ? '<project>.<environment>' : 'one name';
      throw new BerthError('VALIDATION_FAILED', `A quota of ${scope} is named by ${form}, not "${name}".`, {
        fields: [{ path: 'name', message: `must be ${form}` }],
      });
    }
    if (scope === 'projects') return (await this.rpc.call(schedulerRpc.getProject, { project })).team;
    if (scope === 'environments') {
      return (await this.rpc.call(schedulerRpc.getEnvironment, { project, environment })).team;
    }
    return undefined;
  }
}
