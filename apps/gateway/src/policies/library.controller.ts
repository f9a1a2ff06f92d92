import { Body, Controller, Get, Inject, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  LibraryPolicy,
  policyRpc,
  PolicyTestReport,
  RenderedPolicy,
  RenderLibraryPolicy,
  TestPolicies,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByPolicy } from '../http/places.js';

@ApiTags('Policies')
@Controller('v1')
export class LibraryController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get('policy-library')
  @Operation(actions.policyList, {
    answer: z.object({ items: z.array(LibraryPolicy) }),
    summary: 'List ready policies',
    description: 'All of them, with their texts and cases.',
  })
  list(): Promise<{ items: LibraryPolicy[] }> {
    return this.rpc.call(policyRpc.listLibrary, {});
  }

  @Post('policy-library/:id/renderings')
  @Operation(actions.policyList, {
    answer: RenderedPolicy,
    errors: ['NOT_FOUND'],
    summary: 'Get the text of a ready policy, with values for its parameters',
  })
  render(
    @Param({ schema: ByPolicy }) { id: entry }: ByPolicy,
    @Body({ schema: RenderLibraryPolicy }) body: z.output<typeof RenderLibraryPolicy>,
  ): Promise<RenderedPolicy> {
    return this.rpc.call(policyRpc.renderLibraryPolicy, { entry, ...body });
  }

  @Post('policies/tests')
  @Operation(actions.policyTest, {
    answer: PolicyTestReport,
    errors: ['POLICY_INVALID'],
    description: 'Forbids are tried beside a policy that permits all, unless together with those in force.',
  })
  test(@Body({ schema: TestPolicies }) body: z.output<typeof TestPolicies>): Promise<PolicyTestReport> {
    return this.rpc.call(policyRpc.testPolicies, body);
  }
}
