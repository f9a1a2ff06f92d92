import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, ApplyPolicy, page, PageRequest, Policy, policyRpc } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByPolicy } from '../http/places.js';

@ApiTags('Policies')
@Controller('v1/policies')
export class PoliciesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.policyList, { answer: page(Policy), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<Policy>> {
    return this.rpc.call(policyRpc.listPolicies, query);
  }

  @Get(':id')
  @Operation(actions.policyRead, { answer: Policy, errors: ['NOT_FOUND'] })
  get(@Param({ schema: ByPolicy }) place: ByPolicy): Promise<Policy> {
    return this.rpc.call(policyRpc.getPolicy, place);
  }

  @Put(':id')
  @Operation(actions.policyApply, { answer: Policy, errors: ['POLICY_INVALID'] })
  apply(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Body({ schema: ApplyPolicy }) body: z.output<typeof ApplyPolicy>,
  ): Promise<Policy> {
    return this.rpc.call(policyRpc.applyPolicy, { ...place, ...body });
  }

  @Delete(':id')
  @Operation(actions.policyRemove)
  async remove(@Param({ schema: ByPolicy }) place: ByPolicy): Promise<void> {
    await this.rpc.call(policyRpc.removePolicy, place);
  }
}
