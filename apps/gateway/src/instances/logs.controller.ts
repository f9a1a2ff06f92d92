import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, EnvironmentLogOptions, LogLine, LogOptions, page } from '@berth/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AtService, InEnvironment } from '../http/places.js';
import { LogStreams, type LogRequest } from './log-streams.js';

const FOLLOWING =
  'With `follow=true` the answer is a stream of server-sent events (`text/event-stream`): a `log` event for each line; ' +
  '`lost` with a count where a slow reader missed some; `end` when there is nothing more to come, or `error` with a ' +
  'problem, as the last one. It goes on through rollouts and restarts of the scheduler. A stream that ends without ' +
  'either was cut off: connect again.';

@ApiTags('Services')
@Controller('v1/projects/:project/environments/:environment')
export class LogsController {
  constructor(private readonly logs: LogStreams) {}

  @Get('services/:service/logs')
  @Operation(actions.serviceLogs, {
    answer: page(LogLine),
    errors: ['ENGINE_UNAVAILABLE'],
    description: FOLLOWING,
  })
  async ofService(
    @Param({ schema: AtService }) { service, ...place }: AtService,
    @Query({ schema: LogOptions }) options: z.output<typeof LogOptions>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer({ place, what: { service }, ...options }, request, reply);
  }

  @Get('logs')
  @Operation(actions.environmentLogs, {
    answer: page(LogLine),
    errors: ['ENGINE_UNAVAILABLE'],
    description: `The lines of all services, or of those named, in order of time. ${FOLLOWING}`,
  })
  async ofEnvironment(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: EnvironmentLogOptions })
    { service, ...options }: z.output<typeof EnvironmentLogOptions>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer({ place, what: { services: service ?? null }, ...options }, request, reply);
  }

  private async answer(wanted: LogRequest, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (wanted.follow) return this.logs.follow(wanted, request, reply);
    await reply.send({ items: await this.logs.past(wanted), nextCursor: null });
  }
}
