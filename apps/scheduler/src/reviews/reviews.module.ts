import { Module } from '@nestjs/common';
import { ReviewsController } from './reviews.controller.js';
import { Reviews } from './reviews.js';

/** What runs, held against the policies of today. */
@Module({ controllers: [ReviewsController], providers: [Reviews] })
export class ReviewsModule {}
