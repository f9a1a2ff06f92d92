import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, page, PageRequest, policyRpc, SetTeamGroup, TeamGroup } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByGroup, InTeam } from '../http/places.js';

@ApiTags('Identity')
@Controller('v1/teams/:team/groups')
export class GroupsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.groupList, { answer: page(TeamGroup), errors: ['CURSOR_INVALID'] })
  list(
    @Param({ schema: InTeam }) place: InTeam,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<TeamGroup>> {
    return this.rpc.call(policyRpc.listGroups, { ...query, ...place });
  }

  @Put(':group')
  @Operation(actions.groupSet, {
    answer: TeamGroup,
    description:
      'Holds at once for everybody whom the identity provider told to be in the group at their last login.',
  })
  set(
    @Param({ schema: ByGroup }) place: ByGroup,
    @Body({ schema: SetTeamGroup }) body: z.output<typeof SetTeamGroup>,
  ): Promise<TeamGroup> {
    return this.rpc.call(policyRpc.setGroup, { ...place, ...body });
  }

  @Delete(':group')
  @Operation(actions.groupRemove)
  async remove(@Param({ schema: ByGroup }) place: ByGroup): Promise<void> {
    await this.rpc.call(policyRpc.removeGroup, place);
  }
}
