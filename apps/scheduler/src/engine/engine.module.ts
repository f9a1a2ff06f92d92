import { Global, Module } from '@nestjs/common';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { CONTAINER_ENGINE } from './container-engine.js';
import { ENGINE_NODES } from './engine-nodes.js';
import { GUEST_PLACES } from './guest-places.js';
import { IMAGE_BUILDER } from './image-builder.js';
import { connectDocker } from './swarm/docker-client.js';
import { DockerBuilder } from './swarm/docker-builder.js';
import { SwarmEngine } from './swarm/swarm-engine.js';
import { SwarmGuestPlaces } from './swarm/swarm-guest-places.js';
import { SwarmNodes } from './swarm/swarm-nodes.js';
import { SwarmObjects, type RegistryCredentials } from './swarm/swarm-objects.js';
import { WayInContainer } from './swarm/way-in-container.js';
import { METADATA_HOST, METADATA_PORT, WAY_IN, type WayIn } from './way-in.js';

/** What an engine shows the registry-proxy when it pulls; none for a registry without login. */
function engineCredentials(env: SchedulerEnv): RegistryCredentials | null {
  const { BERTH_ENGINE_TOKEN: password, BERTH_REGISTRY: serveraddress } = env;
  return password ? { username: 'engine', password, serveraddress } : null;
}

/** The one container engine; everyone else knows the interface only. */
@Global()
@Module({
  providers: [
    {
      provide: CONTAINER_ENGINE,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv) =>
        new SwarmEngine({
          dockerHost: env.DOCKER_HOST,
          installation: env.BERTH_INSTALLATION,
          registry: env.BERTH_REGISTRY,
          credentials: engineCredentials(env),
          ...(env.BERTH_INGRESS_IMAGE ? { metadataUrl: `http://${METADATA_HOST}:${METADATA_PORT}` } : {}),
        }),
    },
    {
      provide: IMAGE_BUILDER,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv) =>
        new DockerBuilder(connectDocker(env.DOCKER_HOST), {
          installation: env.BERTH_INSTALLATION,
          registry: env.BERTH_REGISTRY,
          credentials: engineCredentials(env),
          bridge: env.BERTH_BUILD_BRIDGE || null,
        }),
    },
    {
      provide: WAY_IN,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv): WayIn | null => {
        if (!env.BERTH_INGRESS_IMAGE) return null;
        const docker = connectDocker(env.DOCKER_HOST);
        const { BERTH_INSTALLATION: installation } = env;
        return new WayInContainer(docker, new SwarmObjects(docker, installation, null), {
          installation,
          image: env.BERTH_INGRESS_IMAGE,
          folder: env.BERTH_INGRESS_FOLDER,
          host: env.BERTH_INGRESS_HOST,
          port: env.BERTH_INGRESS_PORT,
          ...(env.BERTH_INGRESS_TLS === 'off' ? {} : { tlsPort: env.BERTH_INGRESS_TLS_PORT }),
        });
      },
    },
    {
      provide: GUEST_PLACES,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv) =>
        new SwarmGuestPlaces(connectDocker(env.DOCKER_HOST), env.BERTH_INSTALLATION),
    },
    {
      provide: ENGINE_NODES,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv) => new SwarmNodes(connectDocker(env.DOCKER_HOST)),
    },
  ],
  exports: [CONTAINER_ENGINE, IMAGE_BUILDER, ENGINE_NODES, WAY_IN, GUEST_PLACES],
})
export class EngineModule {}
