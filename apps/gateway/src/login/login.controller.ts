import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  BeginDeviceLogin,
  DeviceLogin,
  DeviceLoginState,
  LoginMethods,
  policyRpc,
  PollDeviceLogin,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import type { z } from 'zod';
import { PublicOperation } from '../http/public-operation.js';
import { AnswersSecret } from '../idempotency/answers-secret.js';

/** The way to a token, for people whom the identity provider knows. */
@ApiTags('Login')
@Controller('v1/login')
export class LoginController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @PublicOperation('says how one logs in, to who has not yet', {
    summary: 'See how people log in here',
    answer: LoginMethods,
  })
  methods(): Promise<LoginMethods> {
    return this.rpc.call(policyRpc.loginMethods, {}, { actor: null });
  }

  @Post('device')
  @AnswersSecret()
  @PublicOperation('gives a code that is worth nothing until the identity provider knows who confirms it', {
    summary: 'Begin a login by the identity provider',
    description:
      'The device flow of RFC 8628: show the person `verificationUri` and `userCode`, and poll with the `handle` meanwhile.',
    answer: DeviceLogin,
    errors: ['NOT_FOUND', 'TOO_MANY_REQUESTS', 'IDENTITY_PROVIDER_UNAVAILABLE'],
  })
  begin(@Body({ schema: BeginDeviceLogin }) body: z.output<typeof BeginDeviceLogin>): Promise<DeviceLogin> {
    return this.rpc.call(policyRpc.beginDeviceLogin, body, { actor: null });
  }

  @Post('device/poll')
  @AnswersSecret()
  @PublicOperation('gives a token to who began the login that somebody confirmed, and to nobody else', {
    summary: 'Ask whether a login was confirmed',
    description: 'The token is in the answer once. An error with a status below 500 ends the login.',
    answer: DeviceLoginState,
    errors: [
      'LOGIN_DENIED',
      'LOGIN_EXPIRED',
      'POLICY_DENIED',
      'ALREADY_EXISTS',
      'IDENTITY_PROVIDER_UNAVAILABLE',
    ],
  })
  poll(@Body({ schema: PollDeviceLogin }) body: z.output<typeof PollDeviceLogin>): Promise<DeviceLoginState> {
    return this.rpc.call(policyRpc.pollDeviceLogin, body, { actor: null });
  }
}
