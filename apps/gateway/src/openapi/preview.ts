import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import { GatewayEnv } from '../env.js';

/** The application as it is made up, with nothing started or connected: enough to be described. */
export function previewGateway(): Promise<NestFastifyApplication> {
  const module = AppModule.forEnv(GatewayEnv.parse({}));
  return NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    preview: true,
    logger: false,
  });
}
