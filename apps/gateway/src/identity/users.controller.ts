import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CreateUser,
  LinkIdentity,
  page,
  PageRequest,
  policyRpc,
  Principal,
  User,
  UserIdentity,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ByUser } from '../http/places.js';

@ApiTags('Identity')
@Controller('v1')
export class UsersController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get('whoami')
  @Operation(actions.whoami, { answer: Principal })
  whoami(): Promise<Principal> {
    return this.rpc.call(policyRpc.whoami, {});
  }

  @Post('users')
  @Operation(actions.userCreate, { answer: User, status: 201, errors: ['ALREADY_EXISTS'] })
  create(@Body({ schema: CreateUser }) body: z.output<typeof CreateUser>): Promise<User> {
    return this.rpc.call(policyRpc.createUser, body);
  }

  @Get('users')
  @Operation(actions.userList, { answer: page(User), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<User>> {
    return this.rpc.call(policyRpc.listUsers, query);
  }

  @Delete('users/:user')
  @Operation(actions.userRemove, { errors: ['CONFLICT'] })
  async remove(@Param({ schema: ByUser }) place: ByUser): Promise<void> {
    await this.rpc.call(policyRpc.removeUser, place);
  }

  @Post('users/:user/identities')
  @Operation(actions.userLink, { answer: UserIdentity, status: 201, errors: ['ALREADY_EXISTS', 'CONFLICT'] })
  link(
    @Param({ schema: ByUser }) place: ByUser,
    @Body({ schema: LinkIdentity }) body: z.output<typeof LinkIdentity>,
  ): Promise<UserIdentity> {
    return this.rpc.call(policyRpc.linkIdentity, { ...place, ...body });
  }
}
