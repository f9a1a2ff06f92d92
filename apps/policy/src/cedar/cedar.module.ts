import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CedarThread } from './cedar-thread.js';
import { EVALUATOR, WasmEvaluator } from './evaluator.js';
import { PolicyCompiler } from './policy-compiler.js';

/** Cedar: what reads policies, and what decides by them. */
@Module({
  providers: [
    CedarThread,
    {
      provide: PolicyCompiler,
      useFactory: (thread: CedarThread) => new PolicyCompiler(thread),
      inject: [CedarThread],
    },
    { provide: EVALUATOR, useClass: WasmEvaluator },
  ],
  exports: [PolicyCompiler, EVALUATOR],
})
export class CedarModule implements OnApplicationShutdown {
  constructor(@Inject(CedarThread) private readonly thread: CedarThread) {}

  async onApplicationShutdown(): Promise<void> {
    await this.thread.close();
  }
}
