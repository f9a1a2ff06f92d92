import { Body, Controller, Delete, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  AppliedRetention,
  InRetentionScope,
  ListRetention,
  page,
  registryRpc,
  RetentionRule,
  SetRetention,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

/** Rules by which images go. A scope may have a slash, and so stands in the query. */
@ApiTags('Images')
@Controller('v1/retention')
export class RetentionController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.retentionList, { answer: page(RetentionRule), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: ListRetention }) query: ListRetention): Promise<Page<RetentionRule>> {
    return this.rpc.call(registryRpc.retention, query);
  }

  @Put()
  @Operation(actions.retentionSet, {
    answer: RetentionRule,
    description:
      'In force every hour. Never goes what an environment runs, is about to run or ran before, nor what was pushed or pulled within the last hour. A rule of a repository stands in place of its team’s.',
  })
  set(
    @Query({ schema: InRetentionScope }) { scope }: InRetentionScope,
    @Body({ schema: SetRetention }) body: SetRetention,
  ): Promise<RetentionRule> {
    return this.rpc.call(registryRpc.setRetention, { ...body, scope });
  }

  @Delete()
  @Operation(actions.retentionRemove)
  async remove(@Query({ schema: InRetentionScope }) query: InRetentionScope): Promise<void> {
    await this.rpc.call(registryRpc.removeRetention, query);
  }

  @Post('preview')
  @Operation(actions.retentionPreview, {
    answer: AppliedRetention,
    errors: ['SERVICE_UNAVAILABLE'],
    description: 'What would go now by such a rule, which need not be set. Changes nothing.',
  })
  preview(
    @Query({ schema: InRetentionScope }) { scope }: InRetentionScope,
    @Body({ schema: SetRetention }) body: SetRetention,
  ): Promise<AppliedRetention> {
    return this.rpc.call(registryRpc.previewRetention, { ...body, scope });
  }

  @Post('apply')
  @Operation(actions.retentionApply, {
    answer: AppliedRetention,
    errors: ['SERVICE_UNAVAILABLE'],
    description: 'Without waiting for the hour. Each image that goes is an `image.delete` of its own.',
  })
  apply(@Query({ schema: InRetentionScope }) query: InRetentionScope): Promise<AppliedRetention> {
    return this.rpc.call(registryRpc.applyRetention, query);
  }
}
