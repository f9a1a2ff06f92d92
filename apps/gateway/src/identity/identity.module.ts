import { Module } from '@nestjs/common';
import { TeamsController } from './teams.controller.js';
import { TokensController } from './tokens.controller.js';
import { UsersController } from './users.controller.js';

/** Who there is: users, tokens, teams and their members. */
@Module({ controllers: [UsersController, TokensController, TeamsController] })
export class IdentityModule {}
