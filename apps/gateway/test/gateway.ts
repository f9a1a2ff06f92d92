import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createService } from '@berth/runtime';
import { ApiClient, startTestNats, type TestNats } from '@berth/testing';
import { gatewayService } from '../src/app.module.js';
import { GatewayEnv } from '../src/env.js';
import { Peers } from './peers.js';

export interface TestGateway {
  app: NestFastifyApplication;
  url: string;
  /** With a token of mira's. */
  api: ApiClient;
  peers: Peers;
  nats: TestNats;
  stop(): Promise<void>;
}

/** A gateway on a bus of its own, with its neighbours played by the spec. */
export async function startGateway(): Promise<TestGateway> {
  const nats = await startTestNats();
  const peers = new Peers();
  await peers.start(nats);
  const env = GatewayEnv.parse({ ...nats.as('gateway').env, LOG_LEVEL: 'silent' });
  const app = await createService(gatewayService(env));
  const url = await app.getUrl();
  return {
    app,
    url,
    api: new ApiClient(url, 'good'),
    peers,
    nats,
    stop: async () => {
      await app.close();
      await peers.stop();
      await nats.remove();
    },
  };
}
