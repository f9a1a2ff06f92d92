import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  ChangedSecret,
  page,
  PageRequest,
  Secret,
  SecretName,
  secretRpc,
  SetSecret,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';
import { ROLLOUT_ERRORS } from '../workloads/rollout-errors.js';

const NamedSecret = InEnvironment.extend({ name: SecretName });
type NamedSecret = z.infer<typeof NamedSecret>;

/** Values come in here, and go out nowhere. */
@ApiTags('Secrets')
@Controller('v1/projects/:project/environments/:environment/secrets')
export class SecretsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.secretList, { answer: page(Secret), errors: ['CURSOR_INVALID'] })
  list(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Secret>> {
    return this.rpc.call(secretRpc.list, { ...query, ...place });
  }

  @Put(':name')
  @Operation(actions.secretSet, {
    answer: ChangedSecret,
    errors: ROLLOUT_ERRORS,
    description:
      'Each value is a new version, and is rolled out at once to the services that are given it: follow `deployment`. No ' +
      'answer, event, record or log ever holds a value.',
  })
  set(
    @Param({ schema: NamedSecret }) place: NamedSecret,
    @Body({ schema: SetSecret }) { value = '', valueBase64 }: SetSecret,
  ): Promise<ChangedSecret> {
    return this.rpc.call(secretRpc.set, {
      ...place,
      value: valueBase64 ?? Buffer.from(value).toString('base64'),
    });
  }

  @Delete(':name')
  @Operation(actions.secretRemove, {
    errors: ['SECRET_IN_USE'],
    description: 'With all its versions. What runs in the environment must not be given it any more.',
  })
  async remove(@Param({ schema: NamedSecret }) place: NamedSecret): Promise<void> {
    await this.rpc.call(secretRpc.remove, place);
  }
}
