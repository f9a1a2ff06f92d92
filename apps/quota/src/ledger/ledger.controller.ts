import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Public } from '@berth/actions';
import { quotaRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Ledger } from './ledger.js';

type Done = Record<string, never>;
type ById = z.infer<typeof quotaRpc.commit.request>;

const ASKED_BY_PIPELINE =
  'asked by the pipeline of another service for an action that policy has allowed; NATS lets services only publish here';

/** The ledger, for the pipelines of other services. */
@Controller()
@Public(ASKED_BY_PIPELINE)
export class LedgerController {
  constructor(private readonly ledger: Ledger) {}

  @Handles(quotaRpc.reserve)
  reserve(
    reservation: z.infer<typeof quotaRpc.reserve.request>,
  ): Promise<z.infer<typeof quotaRpc.reserve.response>> {
    return this.ledger.reserve(reservation);
  }

  @Handles(quotaRpc.commit)
  async commit({ id }: ById): Promise<Done> {
    await this.ledger.commit(id);
    return {};
  }

  @Handles(quotaRpc.release)
  async release({ id }: ById): Promise<Done> {
    await this.ledger.release(id);
    return {};
  }

  @Handles(quotaRpc.vacate)
  async vacate({ project, environment }: z.infer<typeof quotaRpc.vacate.request>): Promise<Done> {
    await this.ledger.vacate(project, environment);
    return {};
  }
}
