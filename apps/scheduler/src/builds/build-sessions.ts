import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { BerthError, streamInputSubject, streamSubject } from '@berth/contracts';
import { NatsLink } from '@berth/messaging';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { BuildSession } from './build-session.js';
import { ContextSpool } from './context-spool.js';

/** Those that go on, those that wait, and those whose context is under way. */
const MAX_SESSIONS = 20;

/** The builds that are asked for now. A scheduler that stops ends them, and waits until that is recorded. */
@Injectable()
export class BuildSessions implements BeforeApplicationShutdown {
  private readonly open = new Map<BuildSession, Promise<void>>();

  constructor(
    @Inject(NatsLink) private readonly link: NatsLink,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
  ) {}

  /**
   * Resolves or throws when `begin` does; what that answers goes on after it. What it uses is given back at the end of both.
   */
  async hold(stream: string, begin: (session: BuildSession) => Promise<() => Promise<void>>): Promise<void> {
    if (this.open.size >= MAX_SESSIONS)
      throw new BerthError('TOO_MANY_REQUESTS', 'Too many builds are asked for at once. Try again later.');
    const spool = await ContextSpool.create(this.env.SCHEDULER_BUILD_CONTEXT);
    const subjects = { send: streamSubject(stream), receive: streamInputSubject(stream) };
    const session = new BuildSession(this.link.connection, subjects, spool);
    const beginning = begin(session).catch((thrown: unknown) => {
      // The answer says it, too; but that the pipe ends must not be heard before it.
      session.failed(thrown);
      throw thrown;
    });
    const whole = beginning.then((goOn) => goOn()).finally(() => this.close(session));
    this.open.set(
      session,
      whole.catch(() => undefined),
    );
    await beginning;
  }

  async beforeApplicationShutdown(): Promise<void> {
    const stopping = new BerthError(
      'SERVICE_UNAVAILABLE',
      'The scheduler that ran this build stops. Build again.',
    );
    for (const session of this.open.keys()) session.end(stopping);
    await Promise.all(this.open.values());
  }

  private async close(session: BuildSession): Promise<void> {
    this.open.delete(session);
    await session.close();
  }
}
