import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { LocationInterceptor } from './location.interceptor.js';
import { validationPipe } from './validation.js';

/** How requests come in and answers leave, for all routes. */
@Module({
  providers: [
    { provide: APP_PIPE, useFactory: validationPipe },
    { provide: APP_INTERCEPTOR, useClass: LocationInterceptor },
  ],
})
export class HttpModule {}
