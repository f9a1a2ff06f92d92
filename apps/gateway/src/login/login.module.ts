import { Module } from '@nestjs/common';
import { LoginController } from './login.controller.js';

/** What answers under `/v1` to who has no token yet. */
@Module({ controllers: [LoginController] })
export class LoginModule {}
