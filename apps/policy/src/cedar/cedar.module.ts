import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CedarProcess } from './cedar-process.js';
import { ClosureEvaluator } from './closure-evaluator.js';
import { EVALUATORS, type Evaluators } from './evaluator.js';
import { ShadowChecks, ShadowedEvaluator } from './shadowed-evaluator.js';
import { TrialCompiler } from './trial-compiler.js';
import { WasmEvaluator } from './wasm-evaluator.js';
import { POLICY_ENV, type PolicyEnv } from '../env.js';
import { Metrics } from '@berth/runtime';
import { PolicyCompiler } from './policy-compiler.js';
import { PolicyReadings } from './policy-readings.js';

/** Cedar: what reads policies, and what decides by them. */
@Module({
  providers: [
    CedarProcess,
    PolicyReadings,
    {
      provide: PolicyCompiler,
      useFactory: (cedar: CedarProcess, readings: PolicyReadings) => new PolicyCompiler(cedar, readings),
      inject: [CedarProcess, PolicyReadings],
    },
    TrialCompiler,
    {
      provide: EVALUATORS,
      useFactory: (env: PolicyEnv, metrics: Metrics): Evaluators => {
        const checks = new ShadowChecks(env.DECISION_SHADOW_ONE_IN, metrics);
        return () => new ShadowedEvaluator(new ClosureEvaluator(), new WasmEvaluator(), checks);
      },
      inject: [POLICY_ENV, Metrics],
    },
  ],
  exports: [PolicyCompiler, TrialCompiler, EVALUATORS],
})
export class CedarModule implements OnApplicationShutdown {
  constructor(
    @Inject(CedarProcess) private readonly cedar: CedarProcess,
    @Inject(TrialCompiler) private readonly trials: TrialCompiler,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.cedar.close(), this.trials.close()]);
  }
}
