import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, schedulerRpc, type EnvironmentReview, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Reviews } from './reviews.js';

@Controller()
export class ReviewsController {
  constructor(private readonly reviews: Reviews) {}

  @Handles(schedulerRpc.reviewEnvironments)
  @Performs(actions.environmentReview)
  list(request: z.output<typeof schedulerRpc.reviewEnvironments.request>): Promise<Page<EnvironmentReview>> {
    return this.reviews.list(request);
  }
}
