import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceName } from '@berth/contracts';
import type { BaseEnv } from './env.js';
import { Health } from './health.js';
import { createLogger, type Logger, NestLogger } from './logger.js';
import { endUnusedConnections } from './connections.js';
import { observeHttp } from './http-context.js';
import { Metrics } from './metrics.js';
import { LOGGER } from './tokens.js';

export type Preparation = (app: NestFastifyApplication) => Promise<void> | void;

export interface ServiceOptions {
  name: ServiceName;
  module: Type | DynamicModule;
  env: Pick<BaseEnv, 'HTTP_HOST' | 'HTTP_PORT' | 'LOG_LEVEL'>;
  /** Bytes of a request's body at most. */
  bodyLimit?: number;
  /** What else must be done before it listens: serve requests over NATS, check the mediation, … in this order. */
  prepare?: Preparation[];
}

const SHUTDOWN_DEADLINE_MS = 35_000;

/** Makes the application without binding it to the process: what tests use. */
export async function createService(options: ServiceOptions): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyLimit ?? 2 * 1024 * 1024,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(createLogger(options.name, options.env.LOG_LEVEL)),
    abortOnError: false,
    forceCloseConnections: false,
  });
  observeHttp(adapter.getInstance(), app.get<Logger>(LOGGER), app.get(Metrics));
  endUnusedConnections(adapter.getInstance());
  try {
    for (const step of options.prepare ?? []) await step(app);
    await app.listen(options.env.HTTP_PORT, options.env.HTTP_HOST);
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/**
 * Starts a service and ties it to the process: on SIGTERM or SIGINT it takes nothing new, finishes what is in flight and
 * exits with 0; when that takes more than 35 seconds, with 1.
 */
export async function startService(options: ServiceOptions): Promise<void> {
  const fallback = createLogger(options.name, options.env.LOG_LEVEL);
  let app: NestFastifyApplication;
  try {
    app = await createService(options);
  } catch (error) {
    fallback.fatal({ err: error }, 'service.start-failed');
    process.exit(1);
  }
  const logger = app.get<Logger>(LOGGER);
  logger.info({ url: await app.getUrl() }, 'service.started');

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'service.stopping');
    app.get(Health).drain();
    setTimeout(() => {
      logger.error('service.stop-timed-out');
      process.exit(1);
    }, SHUTDOWN_DEADLINE_MS).unref();
    app.close().then(
      () => {
        logger.info('service.stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'service.stop-failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'process.uncaught-exception');
    process.exit(1);
  });
  process.on('unhandledRejection', (error) => {
    logger.error({ err: error }, 'process.unhandled-rejection');
  });
}
