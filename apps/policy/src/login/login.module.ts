import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { DeviceLogins } from './device-logins.js';
import { IdentityProvider } from './identity-provider.js';
import { LoginTokens } from './login-tokens.js';
import { LoginController } from './login.controller.js';
import { PendingLogins } from './pending-logins.js';
import { People } from './people.js';

/** How people get a token by themselves. */
@Module({
  imports: [IdentityModule],
  controllers: [LoginController],
  providers: [IdentityProvider, PendingLogins, People, LoginTokens, DeviceLogins],
})
export class LoginModule {}
