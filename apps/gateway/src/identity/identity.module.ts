import { Module } from '@nestjs/common';
import { GroupsController } from './groups.controller.js';
import { ServiceAccountsController } from './service-accounts.controller.js';
import { TeamsController } from './teams.controller.js';
import { TokensController } from './tokens.controller.js';
import { UsersController } from './users.controller.js';

/** Who there is: users, tokens, teams, their members, groups and service accounts. */
@Module({
  controllers: [
    UsersController,
    TokensController,
    TeamsController,
    GroupsController,
    ServiceAccountsController,
  ],
})
export class IdentityModule {}
