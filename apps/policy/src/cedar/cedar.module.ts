import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CedarProcess } from './cedar-process.js';
import { EVALUATOR, WasmEvaluator } from './evaluator.js';
import { PolicyCompiler } from './policy-compiler.js';

/** Cedar: what reads policies, and what decides by them. */
@Module({
  providers: [
    CedarProcess,
    {
      provide: PolicyCompiler,
      useFactory: (cedar: CedarProcess) => new PolicyCompiler(cedar),
      inject: [CedarProcess],
    },
    { provide: EVALUATOR, useClass: WasmEvaluator },
  ],
  exports: [PolicyCompiler, EVALUATOR],
})
export class CedarModule implements OnApplicationShutdown {
  constructor(@Inject(CedarProcess) private readonly cedar: CedarProcess) {}

  async onApplicationShutdown(): Promise<void> {
    await this.cedar.close();
  }
}
