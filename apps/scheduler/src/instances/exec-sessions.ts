import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { BerthError, streamInputSubject, streamSubject } from '@berth/contracts';
import { NatsLink } from '@berth/messaging';
import {
  CONTAINER_ENGINE,
  type ContainerEngine,
  type EngineExec,
  type EnvironmentRef,
  type ExecRequest,
} from '../engine/container-engine.js';
import { ExecSession, type ExecOutcome } from './exec-session.js';

const MAX_SESSIONS = 100;

export interface SessionHandlers {
  /** Asked when the command has ended. What it throws is what the caller is told. */
  judge: (exitCode: number) => Promise<void>;
  ended: (outcome: ExecOutcome) => Promise<void>;
}

/** The commands that run now. A scheduler that stops ends them, and waits until that is recorded. */
@Injectable()
export class ExecSessions implements BeforeApplicationShutdown {
  private readonly open = new Map<ExecSession, Promise<void>>();

  constructor(
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    @Inject(NatsLink) private readonly link: NatsLink,
  ) {}

  prepare(target: EnvironmentRef, request: ExecRequest): Promise<EngineExec> {
    if (this.open.size < MAX_SESSIONS) return this.engine.exec(target, request);
    throw new BerthError('SERVICE_UNAVAILABLE', 'Too many commands run at once. Try again later.');
  }

  /** Resolves when it runs. */
  async run(stream: string, prepared: EngineExec, { judge, ended }: SessionHandlers): Promise<void> {
    const command = await prepared.start();
    const subjects = { send: streamSubject(stream), receive: streamInputSubject(stream) };
    const session = new ExecSession(this.link.connection, subjects, command);
    const running = session.run(judge).then(ended);
    this.open.set(session, running);
    void running.finally(() => this.open.delete(session));
  }

  async beforeApplicationShutdown(): Promise<void> {
    const stopping = new BerthError('SERVICE_UNAVAILABLE', 'The scheduler that ran this command stops.');
    for (const session of this.open.keys()) session.end(stopping);
    await Promise.all(this.open.values());
  }
}
