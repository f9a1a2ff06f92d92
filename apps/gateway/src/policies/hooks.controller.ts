import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  page,
  PageRequest,
  PolicyHook,
  policyRpc,
  RegisteredHook,
  SetPolicyHook,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByHook } from '../http/places.js';
import { KnownScopes } from './known-scopes.js';

@ApiTags('Policies')
@Controller('v1/hooks')
export class HooksController {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly scopes: KnownScopes,
  ) {}

  @Get()
  @Operation(actions.hookList, { answer: page(PolicyHook), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<PolicyHook>> {
    return this.rpc.call(policyRpc.listHooks, query);
  }

  @Put(':name')
  @Operation(actions.hookSet, {
    answer: RegisteredHook,
    errors: ['CONFLICT', 'NOT_FOUND'],
    description: 'The secret is shown when it is made, and never again.',
  })
  async set(
    @Param({ schema: ByHook }) place: ByHook,
    @Body({ schema: SetPolicyHook }) body: z.output<typeof SetPolicyHook>,
  ): Promise<RegisteredHook> {
    await this.scopes.refuseUnknown([body.scope]);
    return this.rpc.call(policyRpc.setHook, { ...place, ...body });
  }

  @Delete(':name')
  @Operation(actions.hookRemove)
  async remove(@Param({ schema: ByHook }) place: ByHook): Promise<void> {
    await this.rpc.call(policyRpc.removeHook, place);
  }
}
