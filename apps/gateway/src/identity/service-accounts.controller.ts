import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CreateServiceAccount,
  page,
  PageRequest,
  policyRpc,
  ServiceAccount,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByServiceAccount, InTeam } from '../http/places.js';

@ApiTags('Identity')
@Controller('v1/teams/:team/service-accounts')
export class ServiceAccountsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @Operation(actions.accountCreate, { answer: ServiceAccount, status: 201, errors: ['ALREADY_EXISTS'] })
  create(
    @Param({ schema: InTeam }) place: InTeam,
    @Body({ schema: CreateServiceAccount }) body: z.output<typeof CreateServiceAccount>,
  ): Promise<ServiceAccount> {
    return this.rpc.call(policyRpc.createServiceAccount, { ...place, ...body });
  }

  @Get()
  @Operation(actions.accountList, { answer: page(ServiceAccount), errors: ['CURSOR_INVALID'] })
  list(
    @Param({ schema: InTeam }) place: InTeam,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<ServiceAccount>> {
    return this.rpc.call(policyRpc.listServiceAccounts, { ...query, ...place });
  }

  @Delete(':name')
  @Operation(actions.accountRemove)
  async remove(@Param({ schema: ByServiceAccount }) place: ByServiceAccount): Promise<void> {
    await this.rpc.call(policyRpc.removeServiceAccount, place);
  }
}
