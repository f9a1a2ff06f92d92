import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  ExceptPolicy,
  page,
  PolicyException,
  PolicyExceptionQuery,
  policyRpc,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByException, ByPolicy } from '../http/places.js';
import { KnownScopes } from './known-scopes.js';

@ApiTags('Policies')
@Controller('v1')
export class ExceptionsController {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly scopes: KnownScopes,
  ) {}

  @Get('policy-exceptions')
  @Operation(actions.policyList, {
    answer: page(PolicyException),
    errors: ['CURSOR_INVALID'],
    summary: 'List exceptions from policies',
    description: 'The newest first.',
  })
  list(@Query({ schema: PolicyExceptionQuery }) query: PolicyExceptionQuery): Promise<Page<PolicyException>> {
    return this.rpc.call(policyRpc.listPolicyExceptions, query);
  }

  @Post('policies/:id/exceptions')
  @Operation(actions.policyExcept, { answer: PolicyException, status: 201, errors: ['NOT_FOUND'] })
  async add(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Body({ schema: ExceptPolicy }) body: z.output<typeof ExceptPolicy>,
  ): Promise<PolicyException> {
    await this.scopes.refuseUnknown([body.scope]);
    return this.rpc.call(policyRpc.exceptPolicy, { ...place, ...body });
  }

  @Delete('policies/:id/exceptions/:exception')
  @Operation(actions.policyUnexcept, { answer: PolicyException, errors: ['NOT_FOUND'] })
  end(@Param({ schema: ByException }) place: ByException): Promise<PolicyException> {
    return this.rpc.call(policyRpc.endPolicyException, place);
  }
}
