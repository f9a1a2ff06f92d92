import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, LogLine, LogOptions, page } from '@berth/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AtService } from '../http/places.js';
import { LogStreams } from './log-streams.js';

@ApiTags('Services')
@Controller('v1/projects/:project/environments/:environment/services/:service/logs')
export class LogsController {
  constructor(private readonly logs: LogStreams) {}

  @Get()
  @Operation(actions.serviceLogs, {
    answer: page(LogLine),
    errors: ['ENGINE_UNAVAILABLE'],
    description:
      'With `follow=true` the answer is a stream of server-sent events (`text/event-stream`): a `log` event for each ' +
      'line; `lost` with a count where a slow reader missed some; `end` when there is nothing more to come, or `error` ' +
      'with a problem, as the last one. A stream that ends without either was cut off: connect again.',
  })
  async read(
    @Param({ schema: AtService }) place: AtService,
    @Query({ schema: LogOptions }) options: z.output<typeof LogOptions>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (options.follow) return this.logs.follow({ ...place, ...options }, request, reply);
    const items = await this.logs.past({ ...place, ...options });
    await reply.send({ items, nextCursor: null });
  }
}
