import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, policyRpc, type LibraryPolicy, type RenderedPolicy } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PolicyLibrary } from './policy-library.js';

@Controller()
export class LibraryController {
  constructor(private readonly library: PolicyLibrary) {}

  @Handles(policyRpc.listLibrary)
  @Performs(actions.policyList)
  list(): Promise<{ items: LibraryPolicy[] }> {
    return this.library.list();
  }

  @Handles(policyRpc.renderLibraryPolicy)
  @Performs(actions.policyList)
  render(request: z.output<typeof policyRpc.renderLibraryPolicy.request>): Promise<RenderedPolicy> {
    return this.library.render(request);
  }
}
