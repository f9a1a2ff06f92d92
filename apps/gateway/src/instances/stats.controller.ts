import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, InstanceStats, page, statsRpc, StatsOptions } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { InEnvironment } from '../http/places.js';
import { Feeds, type Wanted } from './feeds.js';

const FOLLOWING =
  'Of all services, or of those named. It takes a second: use is measured between two looks. With `follow=true` the ' +
  'answer is a stream of server-sent events (`text/event-stream`): a `stats` event with `items`, of all instances, every ' +
  'two seconds; `error` with a problem as the last one where it cannot go on.';

@ApiTags('Services')
@Controller('v1/projects/:project/environments/:environment/stats')
export class StatsController {
  constructor(
    @Inject(RpcClient) private readonly rpc: RpcClient,
    private readonly feeds: Feeds,
  ) {}

  @Get()
  @Operation(actions.serviceStats, {
    answer: page(InstanceStats),
    errors: ['ENGINE_UNAVAILABLE'],
    description: FOLLOWING,
  })
  async ofEnvironment(
    @Param({ schema: InEnvironment }) place: InEnvironment,
    @Query({ schema: StatsOptions }) { follow, service }: z.output<typeof StatsOptions>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const wanted: Wanted<{ items: InstanceStats[] }> = {
      follow,
      ask: (stream) =>
        this.rpc.call(statsRpc.stream, { ...place, services: service ?? null, stream, follow }),
      itemsOf: (message) => (message.type === 'stats' ? [{ items: message.items }] : []),
    };
    if (follow) return this.feeds.follow(wanted, { keep: 'latest', event: 'stats' }, request, reply);
    const [look] = await this.feeds.collect(wanted);
    await reply.send({ items: look?.items ?? [], nextCursor: null });
  }
}
