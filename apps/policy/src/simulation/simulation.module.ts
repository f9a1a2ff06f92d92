import { Module } from '@nestjs/common';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { Assessor } from './assessor.js';
import { Explainer } from './explainer.js';
import { PastDecisions } from './past-decisions.js';
import { Questions } from './questions.js';
import { SimulationController } from './simulation.controller.js';
import { Simulator } from './simulator.js';

/** Decisions of which nothing comes: past ones taken again, with a change or to see why; and those of what runs. */
@Module({
  imports: [LivePoliciesModule, DecisionsModule],
  controllers: [SimulationController],
  providers: [PastDecisions, Questions, Simulator, Explainer, Assessor],
})
export class SimulationModule {}
