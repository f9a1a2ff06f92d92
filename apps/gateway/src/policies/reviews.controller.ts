import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, EnvironmentReview, page, ReviewQuery, schedulerRpc } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';

@ApiTags('Policies')
@Controller('v1/reviews')
export class ReviewsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.environmentReview, {
    answer: page(EnvironmentReview),
    errors: ['CURSOR_INVALID', 'ENGINE_UNAVAILABLE'],
    description:
      'Every environment that runs something and that you may see, asked about as if it were deployed again, by who deployed it, and as ' +
      'the engine runs it. Nothing is changed, hooks are not asked, and no decision is kept.',
  })
  list(
    @Query({ schema: ReviewQuery }) query: z.output<typeof ReviewQuery>,
  ): Promise<Page<EnvironmentReview>> {
    return this.rpc.call(schedulerRpc.reviewEnvironments, query);
  }
}
