import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline } from '@berth/actions';
import { actions, type Ingress as IngressState, PLATFORM } from '@berth/contracts';
import { WAY_IN, type WayIn } from '../engine/way-in.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Ingress } from './ingress.js';
import { urlAt } from './tls.js';

const ANSWER_MS = 2_000;
/** Addresses that stand for all, and where such a listener is asked. */
const ANY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
const PLACE = '<service>.<environment>.<project>';

/** Whether requests come in, and where: for those whose services they are led to. */
@Injectable()
export class IngressStatus {
  constructor(
    private readonly ingress: Ingress,
    private readonly pipeline: ActionPipeline,
    @Inject(WAY_IN) private readonly wayIn: WayIn | null,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
  ) {}

  read(): Promise<IngressState> {
    const intent = { action: actions.ingressRead, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, () => this.state());
  }

  private async state(): Promise<IngressState> {
    if (!this.wayIn) {
      const reason = 'This platform has no way in: BERTH_INGRESS_IMAGE names no image of Caddy.';
      return { state: 'off', reason, addresses: [], url: null };
    }
    const reason = await this.trouble();
    const url = urlAt('place', this.env).replace('//place', `//${PLACE}.${this.env.BERTH_INGRESS_DOMAIN}`);
    return { state: reason === null ? 'answers' : 'broken', reason, addresses: this.addresses(), url };
  }

  private async trouble(): Promise<string | null> {
    const known = this.ingress.trouble;
    if (known) return known.message;
    const { BERTH_INGRESS_HOST: host, BERTH_INGRESS_PORT: port, SCHEDULER_UPKEEP_SECONDS: pause } = this.env;
    if (await answers(ANY[host] ?? host, port)) return null;
    return `Nothing answers at ${this.addresses()[0]}. It is looked after every ${pause} s.`;
  }

  private addresses(): string[] {
    const host = this.env.BERTH_INGRESS_HOST;
    const at = (settings: SchedulerEnv): string => urlAt(isIPv6(host) ? `[${host}]` : host, settings);
    const clear = at({ ...this.env, BERTH_INGRESS_TLS: 'off' });
    return this.env.BERTH_INGRESS_TLS === 'off' ? [clear] : [clear, at(this.env)];
  }
}

/** Whether anything is answered, whatever it is: no service is asked for. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host, port, method: 'HEAD', path: '/', timeout: ANSWER_MS, agent: false },
      (response) => {
        response.destroy();
        resolve(true);
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', () => undefined);
    call.on('close', () => resolve(false));
    call.end();
  });
}
