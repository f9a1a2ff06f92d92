import { Module } from '@nestjs/common';
import { Authentication } from './authentication.js';
import { FailedAuthentications } from './failed-authentications.js';
import { FirstAccounts } from './first-accounts.js';
import { TeamsController, TokensController, UsersController } from './identity.controller.js';
import { TeamsService } from './teams.js';
import { TokensService } from './tokens.js';
import { UsersService } from './users.js';

@Module({
  controllers: [UsersController, TeamsController, TokensController],
  providers: [
    UsersService,
    TeamsService,
    TokensService,
    Authentication,
    FailedAuthentications,
    FirstAccounts,
  ],
})
export class IdentityModule {}
