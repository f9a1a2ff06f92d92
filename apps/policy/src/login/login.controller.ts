import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { Performs, Public } from '@berth/actions';
import {
  actions,
  policyRpc,
  type DeviceLogin,
  type DeviceLoginState,
  type LoginMethods,
  type UserIdentity,
} from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { DeviceLogins } from './device-logins.js';
import { People } from './people.js';

type Input<K extends keyof typeof policyRpc> = z.output<(typeof policyRpc)[K]['request']>;

@Controller()
export class LoginController {
  constructor(
    private readonly logins: DeviceLogins,
    private readonly people: People,
  ) {}

  @Handles(policyRpc.loginMethods)
  @Public('says how one logs in, to who has not yet')
  methods(_request: Input<'loginMethods'>): Promise<LoginMethods> {
    return Promise.resolve(this.logins.methods());
  }

  @Handles(policyRpc.beginDeviceLogin)
  @Public('gives a code that is worth nothing until the identity provider knows who confirms it')
  begin(request: Input<'beginDeviceLogin'>): Promise<DeviceLogin> {
    return this.logins.begin(request);
  }

  @Handles(policyRpc.pollDeviceLogin)
  @Public('nobody is known before it; who is then has user.login judged, and failures are recorded')
  poll(request: Input<'pollDeviceLogin'>): Promise<DeviceLoginState> {
    return this.logins.poll(request);
  }

  @Handles(policyRpc.linkIdentity)
  @Performs(actions.userLink)
  link(request: Input<'linkIdentity'>): Promise<UserIdentity> {
    return this.people.link(request);
  }
}
