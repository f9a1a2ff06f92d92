import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  ApplyPolicy,
  BindPolicy,
  ExplainDecision,
  FormatPolicy,
  FormattedPolicy,
  page,
  PageRequest,
  Policy,
  PolicyExplanation,
  PolicySimulation,
  PolicyVersion,
  policyRpc,
  RollBackPolicy,
  SimulatePolicies,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByPolicy } from '../http/places.js';
import { KnownScopes } from './known-scopes.js';

@ApiTags('Policies')
@Controller('v1/policies')
export class PoliciesController {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly scopes: KnownScopes,
  ) {}

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

  @Get(':id/versions')
  @Operation(actions.policyRead, {
    answer: page(PolicyVersion),
    errors: ['NOT_FOUND', 'CURSOR_INVALID'],
    summary: 'List the versions of a policy',
    description: 'The newest first; those of a policy that was removed too.',
  })
  versions(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<PolicyVersion>> {
    return this.rpc.call(policyRpc.listPolicyVersions, { ...place, ...query });
  }

  @Put(':id')
  @Operation(actions.policyApply, { answer: Policy, errors: ['POLICY_INVALID', 'CONFLICT', 'NOT_FOUND'] })
  async apply(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Body({ schema: ApplyPolicy }) body: z.output<typeof ApplyPolicy>,
  ): Promise<Policy> {
    await this.scopes.refuseUnknown((body.bindings ?? []).map(({ scope }) => scope));
    return this.rpc.call(policyRpc.applyPolicy, { ...place, ...body });
  }

  @Put(':id/bindings')
  @Operation(actions.policyBind, { answer: Policy, errors: ['POLICY_INVALID', 'CONFLICT', 'NOT_FOUND'] })
  async bind(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Body({ schema: BindPolicy }) body: z.output<typeof BindPolicy>,
  ): Promise<Policy> {
    await this.scopes.refuseUnknown(body.bindings.map(({ scope }) => scope));
    return this.rpc.call(policyRpc.bindPolicy, { ...place, ...body });
  }

  @Post(':id/rollbacks')
  @Operation(actions.policyRollback, { answer: Policy, errors: ['POLICY_INVALID', 'CONFLICT', 'NOT_FOUND'] })
  rollBack(
    @Param({ schema: ByPolicy }) place: ByPolicy,
    @Body({ schema: RollBackPolicy }) body: z.output<typeof RollBackPolicy>,
  ): Promise<Policy> {
    return this.rpc.call(policyRpc.rollBackPolicy, { ...place, ...body });
  }

  @Post('format')
  @Operation(actions.policyFormat, { answer: FormattedPolicy, errors: ['POLICY_INVALID'] })
  format(@Body({ schema: FormatPolicy }) body: z.output<typeof FormatPolicy>): Promise<FormattedPolicy> {
    return this.rpc.call(policyRpc.formatPolicy, body);
  }

  @Post('simulations')
  @Operation(actions.policySimulate, {
    answer: PolicySimulation,
    errors: ['POLICY_INVALID', 'NOT_FOUND'],
    description:
      'Takes past decisions again, with the policies as they are and as they would be, and tells where the two differ. People are taken as they are now. Nothing is changed.',
  })
  simulate(
    @Body({ schema: SimulatePolicies }) body: z.output<typeof SimulatePolicies>,
  ): Promise<PolicySimulation> {
    return this.rpc.call(policyRpc.simulatePolicies, body);
  }

  @Post('explanations')
  @Operation(actions.policyExplain, { answer: PolicyExplanation, errors: ['NOT_FOUND'] })
  explain(
    @Body({ schema: ExplainDecision }) body: z.output<typeof ExplainDecision>,
  ): Promise<PolicyExplanation> {
    return this.rpc.call(policyRpc.explainDecision, body);
  }

  @Delete(':id')
  @Operation(actions.policyRemove)
  async remove(@Param({ schema: ByPolicy }) place: ByPolicy): Promise<void> {
    await this.rpc.call(policyRpc.removePolicy, place);
  }
}
