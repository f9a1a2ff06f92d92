import { Module } from '@nestjs/common';
import { HookCaller } from '../hooks/hook-caller.js';
import { HookSecrets } from '../hooks/hook-secrets.js';
import { PrincipalReader } from '../identity/principal-reader.js';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { Decider, LocalPolicy } from './decider.js';
import { DecisionLog } from './decision-log.js';
import { DecisionRecorder } from './decision-recorder.js';
import { DecisionRetention } from './decision-retention.js';
import { Disputes } from './disputes.js';
import { Pulse } from './pulse.js';
import { DecisionsController } from './decisions.controller.js';

@Module({
  imports: [LivePoliciesModule],
  controllers: [DecisionsController],
  providers: [
    HookSecrets,
    HookCaller,
    PrincipalReader,
    DecisionLog,
    Disputes,
    DecisionRecorder,
    DecisionRetention,
    Decider,
    LocalPolicy,
    Pulse,
  ],
  exports: [LocalPolicy, PrincipalReader, DecisionLog],
})
export class DecisionsModule {}
