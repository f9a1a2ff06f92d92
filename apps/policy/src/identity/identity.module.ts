import { Module } from '@nestjs/common';
import { Authentication } from './authentication.js';
import { FailedAuthentications } from './failed-authentications.js';
import { FirstAccounts } from './first-accounts.js';
import {
  GroupsController,
  ServiceAccountsController,
  TeamsController,
  TokensController,
  UsersController,
} from './identity.controller.js';
import { ServiceAccountsService } from './service-accounts.js';
import { TeamGroupsService } from './team-groups.js';
import { TeamsService } from './teams.js';
import { TokensService } from './tokens.js';
import { UsersService } from './users.js';

@Module({
  controllers: [
    UsersController,
    TeamsController,
    TokensController,
    GroupsController,
    ServiceAccountsController,
  ],
  providers: [
    UsersService,
    TeamsService,
    TokensService,
    Authentication,
    FailedAuthentications,
    FirstAccounts,
    TeamGroupsService,
    ServiceAccountsService,
  ],
  exports: [FailedAuthentications],
})
export class IdentityModule {}
