import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs } from '@berth/actions';
import { actions, certificateRpc, type Certificate, type Page } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { CertificatesService } from './certificates.js';

@Controller()
export class CertificatesController {
  constructor(private readonly certificates: CertificatesService) {}

  @Handles(certificateRpc.set)
  @Performs(actions.certificateSet)
  set(request: z.infer<typeof certificateRpc.set.request>): Promise<Certificate> {
    return this.certificates.set(request);
  }

  @Handles(certificateRpc.remove)
  @Performs(actions.certificateRemove)
  remove({ host }: z.infer<typeof certificateRpc.remove.request>): Promise<Record<string, never>> {
    return this.certificates.remove(host);
  }

  @Handles(certificateRpc.list)
  @Performs(actions.certificateList)
  list(request: z.infer<typeof certificateRpc.list.request>): Promise<Page<Certificate>> {
    return this.certificates.list(request);
  }
}
