import { Module } from '@nestjs/common';
import { ExceptionsController } from './exceptions.controller.js';
import { HooksController } from './hooks.controller.js';
import { KnownScopes } from './known-scopes.js';
import { LibraryController } from './library.controller.js';
import { PoliciesController } from './policies.controller.js';
import { ReviewsController } from './reviews.controller.js';

@Module({
  controllers: [
    PoliciesController,
    ExceptionsController,
    LibraryController,
    HooksController,
    ReviewsController,
  ],
  providers: [KnownScopes],
})
export class PoliciesModule {}
