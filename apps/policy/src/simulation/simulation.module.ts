import { Module } from '@nestjs/common';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { Explainer } from './explainer.js';
import { PastDecisions } from './past-decisions.js';
import { Questions } from './questions.js';
import { SimulationController } from './simulation.controller.js';
import { Simulator } from './simulator.js';

/** Past decisions, taken again: what a change would have done to them, and why one was what it was. */
@Module({
  imports: [LivePoliciesModule, DecisionsModule],
  controllers: [SimulationController],
  providers: [PastDecisions, Questions, Simulator, Explainer],
})
export class SimulationModule {}
