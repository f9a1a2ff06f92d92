import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs, Public } from '@berth/actions';
import {
  actions,
  policyRpc,
  type IssuedToken,
  type Member,
  type Page,
  type Principal,
  type ServiceAccount,
  type Team,
  type TeamGroup,
  type Token,
  type User,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { Authentication } from './authentication.js';
import { ServiceAccountsService } from './service-accounts.js';
import { TeamGroupsService } from './team-groups.js';
import { TeamsService } from './teams.js';
import { TokensService } from './tokens.js';
import { UsersService } from './users.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

@Controller()
export class UsersController {
  constructor(
    private readonly authentication: Authentication,
    private readonly users: UsersService,
  ) {}

  @Handles(policyRpc.authenticate)
  @Public('says who a token stands for, before there is anybody to ask policy about; failures are recorded')
  authenticate({ token }: Input<'authenticate'>): Promise<Principal> {
    return this.authentication.authenticate(token);
  }

  @Handles(policyRpc.whoami)
  @Performs(actions.whoami)
  whoami(_request: Input<'whoami'>): Promise<Principal> {
    return this.users.whoami();
  }

  @Handles(policyRpc.createUser)
  @Performs(actions.userCreate)
  create(request: Input<'createUser'>): Promise<User> {
    return this.users.create(request);
  }

  @Handles(policyRpc.listUsers)
  @Performs(actions.userList)
  list(request: Input<'listUsers'>): Promise<Page<User>> {
    return this.users.list(request);
  }

  @Handles(policyRpc.removeUser)
  @Performs(actions.userRemove)
  remove(request: Input<'removeUser'>): Promise<Record<string, never>> {
    return this.users.remove(request);
  }
}

@Controller()
export class TeamsController {
  constructor(private readonly teams: TeamsService) {}

  @Handles(policyRpc.createTeam)
  @Performs(actions.teamCreate)
  create(request: Input<'createTeam'>): Promise<Team> {
    return this.teams.create(request);
  }

  @Handles(policyRpc.listTeams)
  @Performs(actions.teamList)
  list(request: Input<'listTeams'>): Promise<Page<Team>> {
    return this.teams.list(request);
  }

  @Handles(policyRpc.getTeam)
  @Performs(actions.teamRead)
  get(request: Input<'getTeam'>): Promise<Team> {
    return this.teams.get(request);
  }

  @Handles(policyRpc.listMembers)
  @Performs(actions.memberList)
  listMembers(request: Input<'listMembers'>): Promise<Page<Member>> {
    return this.teams.listMembers(request);
  }

  @Handles(policyRpc.setMember)
  @Performs(actions.memberSet)
  setMember(request: Input<'setMember'>): Promise<Member> {
    return this.teams.setMember(request);
  }

  @Handles(policyRpc.removeMember)
  @Performs(actions.memberRemove)
  removeMember(request: Input<'removeMember'>): Promise<Record<string, never>> {
    return this.teams.removeMember(request);
  }
}

@Controller()
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Handles(policyRpc.createToken)
  @Performs(actions.tokenCreate)
  create(request: Input<'createToken'>): Promise<IssuedToken> {
    return this.tokens.create(request);
  }

  @Handles(policyRpc.listTokens)
  @Performs(actions.tokenList)
  list(request: Input<'listTokens'>): Promise<Page<Token>> {
    return this.tokens.list(request);
  }

  @Handles(policyRpc.revokeToken)
  @Performs(actions.tokenRevoke)
  revoke(request: Input<'revokeToken'>): Promise<Token> {
    return this.tokens.revoke(request);
  }
}

@Controller()
export class GroupsController {
  constructor(private readonly groups: TeamGroupsService) {}

  @Handles(policyRpc.listGroups)
  @Performs(actions.groupList)
  list(request: Input<'listGroups'>): Promise<Page<TeamGroup>> {
    return this.groups.list(request);
  }

  @Handles(policyRpc.setGroup)
  @Performs(actions.groupSet)
  set(request: Input<'setGroup'>): Promise<TeamGroup> {
    return this.groups.set(request);
  }

  @Handles(policyRpc.removeGroup)
  @Performs(actions.groupRemove)
  remove(request: Input<'removeGroup'>): Promise<Record<string, never>> {
    return this.groups.remove(request);
  }
}

@Controller()
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccountsService) {}

  @Handles(policyRpc.createServiceAccount)
  @Performs(actions.accountCreate)
  create(request: Input<'createServiceAccount'>): Promise<ServiceAccount> {
    return this.accounts.create(request);
  }

  @Handles(policyRpc.listServiceAccounts)
  @Performs(actions.accountList)
  list(request: Input<'listServiceAccounts'>): Promise<Page<ServiceAccount>> {
    return this.accounts.list(request);
  }

  @Handles(policyRpc.removeServiceAccount)
  @Performs(actions.accountRemove)
  remove(request: Input<'removeServiceAccount'>): Promise<Record<string, never>> {
    return this.accounts.remove(request);
  }
}
