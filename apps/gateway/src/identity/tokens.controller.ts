import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  CreateToken,
  IssuedToken,
  Name,
  page,
  PageRequest,
  policyRpc,
  Token,
} from '@berth/contracts';
import type { Page } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { Operation } from '../http/operation.js';
import { ById } from '../http/places.js';
import { AnswersSecret } from '../idempotency/answers-secret.js';

const TokenQuery = PageRequest.extend({
  user: Name.optional().describe('Whose; yours unless you are an admin'),
});

@ApiTags('Identity')
@Controller('v1/tokens')
export class TokensController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Post()
  @AnswersSecret()
  @Operation(actions.tokenCreate, {
    answer: IssuedToken,
    status: 201,
    errors: ['CONFLICT'],
    description:
      'The token is shown this once. As it is kept nowhere, a request repeated with the same `Idempotency-Key` is ' +
      'answered with `CONFLICT` and issues nothing.',
  })
  create(@Body({ schema: CreateToken }) body: z.output<typeof CreateToken>): Promise<IssuedToken> {
    return this.rpc.call(policyRpc.createToken, body);
  }

  @Get()
  @Operation(actions.tokenList, { answer: page(Token), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: TokenQuery }) query: z.output<typeof TokenQuery>): Promise<Page<Token>> {
    return this.rpc.call(policyRpc.listTokens, query);
  }

  @Delete(':id')
  @Operation(actions.tokenRevoke)
  async revoke(@Param({ schema: ById }) { id }: ById): Promise<void> {
    await this.rpc.call(policyRpc.revokeToken, { id });
  }
}
