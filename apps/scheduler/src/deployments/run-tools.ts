import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { LOGGER, type Logger } from '@berth/runtime';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import { SecretsService } from '../secrets/secrets.js';
import { RolloutLedger } from './rollout-ledger.js';

/** What each run of a rollout works with. */
@Injectable()
export class RunTools {
  constructor(
    @Inject(CONTAINER_ENGINE) readonly engine: ContainerEngine,
    readonly pipeline: ActionPipeline,
    readonly ledger: RolloutLedger,
    readonly secrets: SecretsService,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}
}
