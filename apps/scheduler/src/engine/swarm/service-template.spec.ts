import { pinImages, readCompose } from '../../compose/index.js';
import type { Rollout } from '../container-engine.js';
import { LABEL } from './labels.js';
import type { SwarmServiceSpec } from './engine-api.js';
import { capabilities, DROPPED_CAPABILITIES, toSwarmService } from './service-template.js';

const surroundings = { installation: 'main', registry: '127.0.0.1:4401', networkId: 'net1' };
const digest = `sha256:${'1'.repeat(64)}`;

function rollout(lines: string, deployment = 'd1', release = 'sha256:r1', rest = ''): Rollout {
  const compose = `services: { web: { image: nginx, ${lines} } }\nvolumes: { data: }\n${rest}`;
  const { spec } = readCompose(compose, {});
  const release_ = pinImages(spec, new Map([['web', { repository: 'docker.io/library/nginx', digest }]]));
  const secret = (name: string): Promise<never> => Promise.reject(new Error(`no secret ${name}`));
  return { target: { project: 'shop', environment: 'dev' }, deployment, release, spec: release_, secret };
}
const service = (lines = '', ...ids: string[]) => toSwarmService(rollout(lines, ...ids), 'web', surroundings);

describe('a service of a release in the swarm', () => {
  it('is told where to ask about its environment, whatever its file says, where there is such a place', () => {
    const at = { ...surroundings, metadataUrl: 'http://metadata.berth:8480' };
    const { Env: env } = toSwarmService(rollout('environment: { BERTH_METADATA_URL: x }'), 'web', at)
      .TaskTemplate.ContainerSpec;
    expect(env).toContain('BERTH_METADATA_URL=http://metadata.berth:8480');
    expect(env).toHaveLength(5);
  });

  it('is limited, labelled, alone in its network, and pulled by digest through the proxy', () => {
    expect(service()).toEqual({
      Name: expect.stringMatching(/^main-shop-dev-web-[0-9a-f]{8}$/),
      Labels: {
        'berth.installation': 'main',
        'berth.project': 'shop',
        'berth.environment': 'dev',
        'berth.service': 'web',
        'berth.release': 'sha256:r1',
        'berth.deployment': 'd1',
        'berth.template': expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      TaskTemplate: {
        ContainerSpec: {
          Image: `127.0.0.1:4401/docker.io/library/nginx@${digest}`,
          Labels: expect.objectContaining({ 'berth.installation': 'main', 'berth.deployment': 'd1' }),
          Env: [
            'BERTH_ENVIRONMENT=dev',
            'BERTH_PROJECT=shop',
            'BERTH_RELEASE=sha256:r1',
            'BERTH_SERVICE=web',
          ],
          Init: true,
          ReadOnly: false,
          StopGracePeriod: 10e9,
          Mounts: [],
          CapabilityDrop: DROPPED_CAPABILITIES.map((name) => `CAP_${name}`),
        },
        Resources: { Limits: { NanoCPUs: 1e9, MemoryBytes: 536_870_912, Pids: 512 }, Reservations: {} },
        RestartPolicy: { Condition: 'any', Delay: 1e9, MaxAttempts: 0 },
        Networks: [{ Target: 'net1', Aliases: ['web'] }],
      },
      Mode: { Replicated: { Replicas: 1 } },
      UpdateConfig: expect.objectContaining({
        Order: 'start-first',
        FailureAction: 'pause',
        Monitor: 1e9,
      }),
      RollbackConfig: expect.objectContaining({ FailureAction: 'pause' }),
      EndpointSpec: { Mode: 'dnsrr', Ports: [] },
    });
  });

  it('says what its file says', () => {
    const { TaskTemplate: template, EndpointSpec: endpoint } = service(
      `command: [run], entrypoint: [], environment: {B: 2, A: 1}, user: "1000", read_only: true, init: false,
       ports: ["80:8080", "9090/udp"], tmpfs: ["/t:size=1m"], volumes: ["data:/d:ro"], labels: {a: b},
       stop_grace_period: 1s, healthcheck: {test: [CMD, ok], interval: 1s, retries: 2}`,
    );
    expect(template.ContainerSpec).toMatchObject({
      Command: [''],
      Args: ['run'],
      Env: expect.arrayContaining(['A=1', 'B=2']),
      User: '1000',
      ReadOnly: true,
      Init: false,
      StopGracePeriod: 1e9,
      Labels: { a: 'b' },
      Healthcheck: { Test: ['CMD', 'ok'], Interval: 1e9, Retries: 2 },
      Mounts: [
        { Type: 'volume', Source: 'berth_main_shop_dev_data', Target: '/d', ReadOnly: true },
        { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1_048_576 } },
      ],
    });
    expect(endpoint.Ports).toEqual([
      { Protocol: 'tcp', TargetPort: 8080, PublishedPort: 80, PublishMode: 'host' },
      { Protocol: 'udp', TargetPort: 9090, PublishMode: 'host' },
    ]);
  });

  it('has one name for what is made from the same, whichever release and deployment it is of', () => {
    const before = service('', 'd1', 'sha256:r1');
    const after = service('deploy: { replicas: 3 }', 'd2', 'sha256:r2');
    expect(after.Name).toBe(before.Name);
    expect(after.Labels[LABEL.deployment]).toBe('d2');
    for (const lines of ['user: app', 'ports: ["8080"]', 'x-berth: { http: 80 }'])
      expect(service(lines).Name).not.toBe(before.Name);
    const restarted = rollout('');
    restarted.spec.services.web.restarts = 1;
    expect(toSwarmService(restarted, 'web', surroundings).Name).not.toBe(before.Name);
  });

  it('is found where requests come in by a name that is one in all networks', () => {
    const { TaskTemplate: template } = service('x-berth: { http: 80 }');
    expect(template.Networks).toEqual([{ Target: 'net1', Aliases: ['web', 'http-80.web.dev.shop'] }]);
  });

  it('is given secrets by file and by variable, and named by their versions, not their values', () => {
    const lines = 'secrets: [cert], x-berth: { secret_variables: { KEY: stripe } }';
    const given = (versions: Record<string, number>, text: string): SwarmServiceSpec => {
      const wanted = rollout(lines, 'd1', 'sha256:r1', 'secrets: { cert: }');
      wanted.spec.secrets = versions;
      const held = (name: string) => ({ id: `id-${name}`, name: `berth-${name}`, value: Buffer.from(text) });
      const secrets = new Map(['cert', 'stripe'].map((name) => [name, held(name)] as const));
      return toSwarmService(wanted, 'web', surroundings, secrets);
    };
    const first = given({ cert: 1, stripe: 1 }, 'one');
    expect(first.TaskTemplate.ContainerSpec).toMatchObject({
      Env: expect.arrayContaining(['KEY=one']),
      Secrets: [
        {
          ...{ SecretID: 'id-cert', SecretName: 'berth-cert' },
          File: { Name: '/run/secrets/cert', UID: '0', GID: '0', Mode: 0o444 },
        },
      ],
    });
    expect(given({ cert: 1, stripe: 1 }, 'two').Name).toBe(first.Name);
    expect(given({ cert: 1, stripe: 2 }, 'one').Name).not.toBe(first.Name);
  });

  it.each([
    [[], [], undefined, DROPPED_CAPABILITIES],
    [['NET_RAW'], [], ['NET_RAW'], DROPPED_CAPABILITIES.filter((name) => name !== 'NET_RAW')],
    [[], ['CHOWN'], undefined, [...DROPPED_CAPABILITIES, 'CHOWN'].sort()],
    [['CHOWN'], ['ALL'], ['CHOWN'], ['ALL']],
    [['ALL'], ['SYS_ADMIN'], ['ALL'], ['SYS_ADMIN']],
  ])('with cap_add %j and cap_drop %j', (capAdd: string[], capDrop: string[], added, dropped) => {
    const prefixed = (names: string[]) => names.map((name) => (name === 'ALL' ? name : `CAP_${name}`));
    expect(capabilities({ capAdd, capDrop })).toEqual({
      ...(added ? { CapabilityAdd: prefixed(added) } : {}),
      CapabilityDrop: prefixed(dropped),
    });
  });
});
