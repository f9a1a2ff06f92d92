import { Controller, Get, Injectable, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from './mediation.js';

export type HealthCheck = () => Promise<void> | void;

const CHECK_TIMEOUT_MS = 2_000;

/** What must be so for this process to serve: each check throws, with a reason, when it is not. */
@Injectable()
export class Health {
  private readonly checks = new Map<string, HealthCheck>();
  private draining = false;

  add(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** From here on `/readyz` says no: what is in flight finishes, nothing new is sent our way. */
  drain(): void {
    this.draining = true;
  }

  async readiness(): Promise<{ ready: boolean; checks: Record<string, string> }> {
    const checks: Record<string, string> = {};
    await Promise.all(
      [...this.checks].map(async ([name, check]) => {
        checks[name] = await withTimeout(check).then(
          () => 'ok',
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
      }),
    );
    if (this.draining) checks.process = 'shutting down';
    return { ready: Object.values(checks).every((state) => state === 'ok'), checks };
  }
}

async function withTimeout(check: HealthCheck): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([Promise.resolve().then(check), late]);
  } finally {
    clearTimeout(timer);
  }
}

@Controller()
export class HealthController {
  constructor(private readonly health: Health) {}

  @Get('healthz')
  @Public('liveness: says only that the process runs')
  alive(): { status: string } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Public('readiness: says only which dependencies answer')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const readiness = await this.health.readiness();
    void reply.status(readiness.ready ? 200 : 503);
    return readiness;
  }
}
