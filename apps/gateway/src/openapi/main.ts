import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import { GatewayEnv } from '../env.js';
import { buildOpenApi } from './document.js';

/** `node dist/openapi/main.js <file>`: writes the document without starting anything. */
async function main(file: string): Promise<void> {
  const module = AppModule.forEnv(GatewayEnv.parse({}));
  const app = await NestFactory.create(module, new FastifyAdapter(), { preview: true, logger: false });
  writeFileSync(file, `${JSON.stringify(buildOpenApi(app), null, 2)}\n`);
}

void main(process.argv[2]);
