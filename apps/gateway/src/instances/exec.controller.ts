import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, ExecOptions } from '@berth/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AtService } from '../http/places.js';
import { Exec } from './exec.js';

const PROTOCOL =
  'A WebSocket (RFC 6455). Binary messages to the server are what is typed; text messages are JSON: ' +
  '`{"type":"resize","columns":…,"rows":…}`, and `{"type":"end"}` when nothing more is typed. Binary messages from the ' +
  'server are what the command writes: the first byte says where (1: stdout, or the terminal; 2: stderr), the rest is ' +
  'what. The last message is a text, `{"type":"exit","code":…}`, or `{"type":"error","problem":…}` where the end is not ' +
  'known. A refusal is a problem, before the upgrade.';

@ApiTags('Services')
@Controller('v1/projects/:project/environments/:environment/services/:service/exec')
export class ExecController {
  constructor(private readonly exec: Exec) {}

  @Get()
  @Operation(actions.serviceExec, {
    status: 101,
    errors: [
      'UPGRADE_REQUIRED',
      'INSTANCE_NOT_RUNNING',
      'INSTANCE_ELSEWHERE',
      'CONFLICT',
      'ENGINE_UNAVAILABLE',
    ],
    description: PROTOCOL,
  })
  async run(
    @Param({ schema: AtService }) place: AtService,
    @Query({ schema: ExecOptions }) options: z.output<typeof ExecOptions>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.exec.run(place, options, request, reply);
  }
}
