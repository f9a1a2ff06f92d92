import { Module } from '@nestjs/common';
import { CasesController } from '../cases/cases.controller.js';
import { PolicyTests } from '../cases/policy-tests.js';
import { LivePoliciesModule } from '../policies/live-policies.module.js';
import { LibraryController } from './library.controller.js';
import { PolicyLibrary } from './policy-library.js';

/** Ready policies, and cases to try policies with before they are in force. */
@Module({
  imports: [LivePoliciesModule],
  controllers: [CasesController, LibraryController],
  providers: [PolicyTests, PolicyLibrary],
})
export class LibraryModule {}
