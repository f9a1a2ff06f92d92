import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, CreateTeam, Member, page, PageRequest, policyRpc, SetMember, Team } from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { AsMember, InTeam } from '../http/places.js';

@ApiTags('Identity')
@Controller('v1/teams')
export class TeamsController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @Operation(actions.teamCreate, {
    answer: Team,
    status: 201,
    location: ({ name }) => `/v1/teams/${name}`,
    errors: ['ALREADY_EXISTS'],
  })
  create(@Body({ schema: CreateTeam }) body: z.output<typeof CreateTeam>): Promise<Team> {
    return this.rpc.call(policyRpc.createTeam, body);
  }

  @Get()
  @Operation(actions.teamList, { answer: page(Team), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<Team>> {
    return this.rpc.call(policyRpc.listTeams, query);
  }

  @Get(':team')
  @Operation(actions.teamRead, { answer: Team })
  get(@Param({ schema: InTeam }) place: InTeam): Promise<Team> {
    return this.rpc.call(policyRpc.getTeam, place);
  }

  @Get(':team/members')
  @Operation(actions.memberList, { answer: page(Member), errors: ['CURSOR_INVALID'] })
  members(
    @Param({ schema: InTeam }) place: InTeam,
    @Query({ schema: PageRequest }) query: PageRequest,
  ): Promise<Page<Member>> {
    return this.rpc.call(policyRpc.listMembers, { ...query, ...place });
  }

  @Put(':team/members/:user')
  @Operation(actions.memberSet, { answer: Member })
  setMember(
    @Param({ schema: AsMember }) place: AsMember,
    @Body({ schema: SetMember }) body: z.output<typeof SetMember>,
  ): Promise<Member> {
    return this.rpc.call(policyRpc.setMember, { ...place, ...body });
  }

  @Delete(':team/members/:user')
  @Operation(actions.memberRemove)
  async removeMember(@Param({ schema: AsMember }) place: AsMember): Promise<void> {
    await this.rpc.call(policyRpc.removeMember, place);
  }
}
