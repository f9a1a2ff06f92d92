import { Module } from '@nestjs/common';
import { CedarModule } from '../cedar/cedar.module.js';
import { LivePolicies } from './live-policies.js';
import { PlacesReader } from './places.js';
import { PolicyStore } from './policy-store.js';

/** The policies in force, without the actions that change them: what decides must not need itself. */
@Module({
  imports: [CedarModule],
  providers: [PolicyStore, PlacesReader, LivePolicies],
  exports: [CedarModule, PolicyStore, PlacesReader, LivePolicies],
})
export class LivePoliciesModule {}
