import { BerthError } from '@berth/contracts';
import type { ComposeProblem } from './problems.js';
import { readCompose } from './read-compose.js';
import type { ServiceSpec } from './spec.js';

const read = (text: string, variables: Record<string, string> = {}) => readCompose(text, variables);

/** The service `web` of a file whose service holds these lines besides its image. */
function service(lines: string, variables: Record<string, string> = {}, rest = ''): ServiceSpec {
  const body = lines.replace(/^/gm, '    ');
  return read(`services:\n  web:\n    image: nginx:1\n${body}\n${rest}`, variables).spec.services.web;
}

function failure(
  text: string,
  variables: Record<string, string> = {},
): BerthError & { problems: ComposeProblem[] } {
  try {
    read(text, variables);
  } catch (error) {
    if (error instanceof BerthError)
      return Object.assign(error, { problems: (error.extensions.problems ?? []) as ComposeProblem[] });
    throw error;
  }
  throw new Error('the file was read without an error');
}

/** The first problem of a service `web` with these lines, from line 4 of the file on. */
function problem(lines: string, rest = ''): ComposeProblem {
  const body = lines.replace(/^/gm, '    ');
  return failure(`services:\n  web:\n    image: nginx:1\n${body}\n${rest}`).problems[0];
}

describe('a Compose file', () => {
  it('gets defaults for what it does not say', () => {
    expect(service('x-note: nothing')).toEqual({
      image: 'nginx:1',
      entrypoint: null,
      command: null,
      environment: {},
      ports: [],
      expose: [],
      healthcheck: null,
      dependsOn: {},
      replicas: 1,
      limits: { nanoCpus: 1e9, memoryBytes: 536_870_912, pids: 512 },
      reservations: { nanoCpus: null, memoryBytes: null },
      update: {
        parallelism: 1,
        delayNs: 0,
        order: 'start-first',
        failureAction: 'rollback',
        monitorNs: null,
        maxFailureRatio: 0,
      },
      user: null,
      readOnly: false,
      tmpfs: [],
      volumes: [],
      labels: {},
      serviceLabels: {},
      stopGracePeriodNs: 10e9,
      init: true,
      capAdd: [],
      capDrop: [],
      http: null,
      hosts: [],
      secrets: [],
      uses: [],
    });
  });

  it('says where requests come in, and which secrets it is given', () => {
    const spec = service(
      [
        'x-berth:',
        '  http: { port: "${PORT}", protocol: h2c }',
        '  secret_variables: { STRIPE_KEY: stripe-key }',
        'secrets: [api_key, { source: cert, target: /etc/app/cert.pem, uid: "10", mode: 0440 }]',
      ].join('\n'),
      { PORT: '8080' },
      'secrets: { api_key: , cert: { external: true } }',
    );
    expect(spec).toMatchObject({
      http: { port: 8080, protocol: 'h2c' },
      secrets: [
        { secret: 'api_key', file: { path: '/run/secrets/api_key', uid: '0', gid: '0', mode: 0o444 } },
        { secret: 'cert', file: { path: '/etc/app/cert.pem', uid: '10', gid: '0', mode: 0o440 } },
        { secret: 'stripe-key', file: null, variable: 'STRIPE_KEY' },
      ],
    });
    expect(service('x-berth: { http: 3000 }').http).toEqual({ port: 3000, protocol: 'http' });
  });

  it('says which host names it answers at, from the variables of its environment', () => {
    const lines = 'x-berth: { http: 80, hosts: ["${HOST}", www.shop.example.org, "${HOST}"] }';
    expect(service(lines, { HOST: 'shop.example.org' }).hosts).toEqual([
      'shop.example.org',
      'www.shop.example.org',
    ]);
  });

  it.each([
    ...[
      'Shop.example.org',
      '"*.example.org"',
      '10.0.0.1',
      '"::1"',
      'shop',
      '-a.example.org',
      'a..b',
      'a.b:80',
    ],
    ...['a.example.org.', `${'a'.repeat(64)}.org`, `${'a.'.repeat(126)}org`, 'https://a.org'],
  ])('does not take %s for a host name', (host) => {
    const lines = `x-berth: { http: 80, hosts: [${host}] }`;
    expect(() => service(lines)).toThrow(/services\.web\.x-berth\.hosts\[0\]: must be a host name/);
  });

  it('gives a host name to one service, which says where requests go', () => {
    expect(() => service('x-berth: { hosts: [a.org] }')).toThrow(/"hosts" needs "http"/);
    const both = ['web', 'api'].map((name) => `${name}: { image: a, x-berth: { http: 1, hosts: [a.org] } }`);
    expect(() => readCompose(`services: { ${both.join(', ')} }`, {})).toThrow(
      /services\.api\.x-berth\.hosts: the host name "a\.org" is that of "web" already/,
    );
  });

  it.each(['always', 'unless-stopped', 'on-failure', 'on-failure:3'])('may say restart: %s', (policy) => {
    expect(() => service(`restart: ${policy}`)).not.toThrow();
  });

  it('may have a name, a version, extensions and the default network', () => {
    const file =
      'name: shop\nversion: "3.8"\nx-any: {a: [1]}\nnetworks: {default: }\nservices: {web: {image: a, networks: [default]}}';
    expect(Object.keys(read(file).spec.services)).toEqual(['web']);
  });

  it.each([
    ['command: echo "a b" c\\ d', { command: ['echo', 'a b', 'c d'] }],
    ['command: [echo, "a b", 1]', { command: ['echo', 'a b', '1'] }],
    ['entrypoint: /run.sh --fast', { entrypoint: ['/run.sh', '--fast'] }],
    ['entrypoint: []\ncommand: [sh]', { entrypoint: [], command: ['sh'] }],
    ['environment: {A: 1.10, B: true, C: "x", D: }', { environment: { A: '1.10', B: 'true', C: 'x' } }],
    ['environment: [A=1, "B=a=b", C]', { environment: { A: '1', B: 'a=b', C: 'from the environment' } }],
    ['environment: {__proto__: x}', { environment: Object.fromEntries([['__proto__', 'x']]) }],
    ['expose: [3000, "8000-8010", 53/udp]', { expose: ['3000', '53/udp', '8000-8010'] }],
    ['depends_on: [db]', { dependsOn: { db: 'started' } }],
    ['depends_on: {db: {condition: service_healthy, restart: false}}', { dependsOn: { db: 'healthy' } }],
    [
      'depends_on: {db: {condition: service_started}, no: {required: false}}',
      { dependsOn: { db: 'started' } },
    ],
    ['user: 1000', { user: '1000' }],
    ['user: "1000:app"', { user: '1000:app' }],
    ['read_only: true', { readOnly: true }],
    ['read_only: "${RO:-true}"', { readOnly: true }],
    ['tmpfs: /run', { tmpfs: [{ path: '/run', sizeBytes: null, mode: null }] }],
    [
      'tmpfs: ["/run:size=64m,mode=1777"]',
      { tmpfs: [{ path: '/run', sizeBytes: 67_108_864, mode: 0o1777 }] },
    ],
    [
      'volumes: [data:/var/lib/x]',
      { volumes: [{ volume: 'data', path: '/var/lib/x', readOnly: false, noCopy: false }] },
    ],
    ['volumes: [data:/x:ro]', { volumes: [{ volume: 'data', path: '/x', readOnly: true, noCopy: false }] }],
    [
      'volumes: [{type: volume, source: data, target: /x, volume: {nocopy: true}}]',
      { volumes: [{ volume: 'data', path: '/x', readOnly: false, noCopy: true }] },
    ],
    [
      'volumes: [{type: tmpfs, target: /x, tmpfs: {size: 1m}}]',
      { tmpfs: [{ path: '/x', sizeBytes: 1_048_576, mode: null }] },
    ],
    ['labels: {a: 1, b.c: }', { labels: { a: '1', 'b.c': '' } }],
    ['labels: [a=1=2, b]', { labels: { a: '1=2', b: '' } }],
    ['deploy: {labels: {tier: front}}', { serviceLabels: { tier: 'front' } }],
    ['stop_grace_period: 1m30s', { stopGracePeriodNs: 90e9 }],
    ['init: false', { init: false }],
    ['cap_add: [NET_ADMIN, cap_sys_time]', { capAdd: ['NET_ADMIN', 'SYS_TIME'] }],
    ['cap_drop: [ALL]', { capDrop: ['ALL'] }],
    ['deploy: {replicas: 3, mode: replicated, endpoint_mode: dnsrr}', { replicas: 3 }],
    ['deploy: {replicas: "${N:-2}"}', { replicas: 2 }],
    [
      'deploy: {resources: {limits: {cpus: "0.5", memory: 1g, pids: 10}}}',
      { limits: { nanoCpus: 5e8, memoryBytes: 1024 ** 3, pids: 10 } },
    ],
    [
      'deploy: {resources: {reservations: {cpus: 2, memory: 1g}}}',
      {
        limits: { nanoCpus: 2e9, memoryBytes: 1024 ** 3, pids: 512 },
        reservations: { nanoCpus: 2e9, memoryBytes: 1024 ** 3 },
      },
    ],
    [
      'deploy: {update_config: {parallelism: 0, delay: 2s, order: stop-first, failure_action: continue, monitor: 5s, max_failure_ratio: 0.3}}',
      {
        update: {
          parallelism: 0,
          delayNs: 2e9,
          order: 'stop-first',
          failureAction: 'continue',
          monitorNs: 5e9,
          maxFailureRatio: 0.3,
        },
      },
    ],
    [
      'healthcheck: {test: curl -f http://x, interval: 5s, timeout: 1s, retries: 2, start_period: 0s}',
      {
        healthcheck: {
          test: ['CMD-SHELL', 'curl -f http://x'],
          intervalNs: 5e9,
          timeoutNs: 1e9,
          startPeriodNs: 0,
          retries: 2,
        },
      },
    ],
    [
      'healthcheck: {test: [CMD, true]}',
      {
        healthcheck: {
          test: ['CMD', 'true'],
          intervalNs: null,
          timeoutNs: null,
          startPeriodNs: null,
          retries: null,
        },
      },
    ],
    [
      'healthcheck: {test: ["CMD-SHELL", "a b"]}',
      { healthcheck: expect.objectContaining({ test: ['CMD-SHELL', 'a b'] }) },
    ],
    ['healthcheck: {test: [NONE]}', { healthcheck: expect.objectContaining({ test: ['NONE'] }) }],
    ['healthcheck: {disable: true}', { healthcheck: expect.objectContaining({ test: ['NONE'] }) }],
    [
      'healthcheck: {interval: 3s}',
      { healthcheck: expect.objectContaining({ test: null, intervalNs: 3e9 }) },
    ],
  ])('reads %s', (lines, expected) => {
    const rest = '  db: {image: postgres}\nvolumes: {data: }';
    expect(service(lines, { C: 'from the environment' }, rest)).toMatchObject(expected);
  });

  it.each([
    ['"8080"', [[8080, null, 'tcp']]],
    ['8080', [[8080, null, 'tcp']]],
    ['"80:8080"', [[8080, 80, 'tcp']]],
    ['22:2022', [[2022, 22, 'tcp']]],
    ['"53:53/udp"', [[53, 53, 'udp']]],
    ['"0.0.0.0:80:80"', [[80, 80, 'tcp']]],
    ['"0.0.0.0::80"', [[80, null, 'tcp']]],
    ['"[::]:80:80"', [[80, 80, 'tcp']]],
    [
      '"3000-3001"',
      [
        [3000, null, 'tcp'],
        [3001, null, 'tcp'],
      ],
    ],
    [
      '"9090-9091:8080-8081"',
      [
        [8080, 9090, 'tcp'],
        [8081, 9091, 'tcp'],
      ],
    ],
    ['{target: 80, published: "8080", protocol: tcp, mode: host}', [[80, 8080, 'tcp']]],
    ['{target: 80}', [[80, null, 'tcp']]],
    ['"${PORT:-81}:80"', [[80, 81, 'tcp']]],
  ])('reads the port %s', (port, expected) => {
    const ports = service(`ports: [${port}]`).ports;
    expect(ports.map((p) => [p.target, p.published, p.protocol])).toEqual(expected);
  });

  it('stops the old instance first where two cannot stand beside each other', () => {
    expect(service('ports: ["80:80"]').update.order).toBe('stop-first');
    expect(service('ports: ["80"]').update.order).toBe('start-first');
    expect(service('volumes: [d:/d]', {}, 'volumes: {d: {}}').update.order).toBe('stop-first');
  });

  it('follows anchors, aliases and merge keys, own keys first', () => {
    const { services } = read(`
x-base: &base
  image: base
  environment: &env { A: 1, B: 1 }
x-more: &more { image: other, user: app }
services:
  one:
    <<: *base
    image: one
  two:
    <<: [*base, *more]
    environment:
      <<: *env
      B: 2
`).spec;
    expect(services.one).toMatchObject({ image: 'one', environment: { A: '1', B: '1' } });
    expect(services.two).toMatchObject({ image: 'base', user: 'app', environment: { A: '1', B: '2' } });
  });

  it('leaves out volumes that nothing mounts', () => {
    const file =
      'services: {web: {image: a, volumes: ["used:/x"]}}\nvolumes: {used: {labels: {a: b}}, idle: }';
    expect(read(file).spec.volumes).toEqual({ used: { labels: { a: 'b' } } });
  });

  it('warns of a variable that is not set', () => {
    const { spec, warnings } = read('services: {web: {image: "a:${TAG}x", command: [$$HOME]}}');
    expect(spec.services.web).toMatchObject({ image: 'a:x', command: ['$HOME'] });
    expect(warnings).toEqual([expect.stringContaining('TAG')]);
  });
});

describe('a service that is built', () => {
  const file =
    'services: {web: {build: ., environment: {A: b}}, api: {build: {context: api}, image: "acme/api:${V}"}}';
  const built = {
    web: '127.0.0.1:4401/acme/shop/web@sha256:1',
    api: '127.0.0.1:4401/acme/shop/api@sha256:2',
  };

  it('has the image that it was built to, whatever stands beside', () => {
    const { spec, warnings } = readCompose(file, {}, built);
    expect(Object.entries(spec.services).map(([name, { image }]) => [name, image])).toEqual([
      ['web', built.web],
      ['api', built.api],
    ]);
    expect(warnings).toEqual([]);
  });

  it('is nothing before', () => {
    expect(() => readCompose(file, {}, { web: built.web })).toThrow(
      'services.api.build: "build" needs an image',
    );
  });
});

describe('what is wrong with a Compose file', () => {
  it('is told with line, column, path and code, all at once', () => {
    const error = failure('services:\n  web:\n    image: a\n    build: .\n  db:\n    ports:\n      - "x"\n');
    expect(error.code).toBe('COMPOSE_INVALID');
    expect(error.problems).toEqual([
      {
        code: 'COMPOSE_UNSUPPORTED',
        line: 4,
        column: 5,
        path: 'services.web.build',
        message: expect.stringContaining('"build" needs an image that was built'),
      },
      {
        code: 'COMPOSE_INVALID',
        line: 6,
        column: 5,
        path: 'services.db',
        message: expect.stringContaining('image'),
      },
      {
        code: 'COMPOSE_INVALID',
        line: 7,
        column: 9,
        path: 'services.db.ports[0]',
        message: expect.stringContaining('no port'),
      },
    ]);
    expect(error.message).toContain('line 4, column 5, services.web.build: ');
  });

  it.each([
    ['privileged: true', 'services.web.privileged'],
    ['network_mode: host', 'services.web.network_mode'],
    ['restart: "no"', 'services.web.restart'],
    ['env_file: .env', 'services.web.env_file'],
    ['x-berth: {htp: 1}', 'services.web.x-berth.htp'],
    ['x-berth: {http: {port: 1, hosts: [a]}}', 'services.web.x-berth.http.hosts'],
    ['imagee: a', 'services.web.imagee'],
    ['networks: [back]', 'services.web.networks[0]'],
    ['networks: {default: {aliases: [a]}}', 'services.web.networks.default'],
    ['volumes: ["./a:/b"]', 'services.web.volumes[0]'],
    ['volumes: ["/a:/b"]', 'services.web.volumes[0]'],
    ['volumes: ["~/a:/b"]', 'services.web.volumes[0]'],
    ['volumes: ["/data"]', 'services.web.volumes[0]'],
    ['volumes: [{type: bind, source: /a, target: /b}]', 'services.web.volumes[0].type'],
    ['volumes: [{type: volume, target: /b}]', 'services.web.volumes[0]'],
    ['volumes: [{type: npipe, target: /b}]', 'services.web.volumes[0].type'],
    ['ports: ["127.0.0.1:80:80"]', 'services.web.ports[0]'],
    ['ports: ["80:80/sctp"]', 'services.web.ports[0]'],
    ['ports: ["8000-9000:80"]', 'services.web.ports[0]'],
    ['ports: [{target: 80, mode: ingress}]', 'services.web.ports[0].mode'],
    ['ports: [{target: 80, name: web}]', 'services.web.ports[0].name'],
    ['deploy: {mode: global}', 'services.web.deploy.mode'],
    ['deploy: {placement: {}}', 'services.web.deploy.placement'],
    [
      'deploy: {resources: {reservations: {devices: []}}}',
      'services.web.deploy.resources.reservations.devices',
    ],
    [
      'deploy: {update_config: {order: start-first}}\nports: ["80:80"]',
      'services.web.deploy.update_config.order',
    ],
    ['depends_on: {db: {condition: service_completed_successfully}}', 'services.web.depends_on.db.condition'],
    ['healthcheck: {start_interval: 1s}', 'services.web.healthcheck.start_interval'],
    ['tmpfs: ["/run:uid=1"]', 'services.web.tmpfs[0]'],
    ['command: []', 'services.web.command'],
    ['entrypoint: []', 'services.web.entrypoint'],
    ['user: !secret a', 'services.web.user'],
  ])('is not supported: %s', (lines, path) => {
    const found = problem(lines, '  db: {image: a}');
    expect(found).toMatchObject({ code: 'COMPOSE_UNSUPPORTED', path });
    expect(found.line).toBeGreaterThanOrEqual(4);
    expect(found.column).toBeGreaterThanOrEqual(5);
  });

  it.each([
    ['image: ""', 'services.web.image'],
    ['user: "a b"', 'services.web.user'],
    ['read_only: maybe', 'services.web.read_only'],
    ['ports: "80"', 'services.web.ports'],
    ['ports: ["0"]', 'services.web.ports[0]'],
    ['ports: ["65536"]', 'services.web.ports[0]'],
    ['ports: ["80-79"]', 'services.web.ports[0]'],
    ['ports: ["80:1", "80:2"]', 'services.web.ports[1]'],
    ['ports: [{published: 80}]', 'services.web.ports[0]'],
    ['expose: [x]', 'services.web.expose[0]'],
    ['environment: {A: [1]}', 'services.web.environment.A'],
    ['environment: ["=1"]', 'services.web.environment[0]'],
    ['labels: {berth.project: x}', 'services.web.labels["berth.project"]'],
    ['command: "a \'b"', 'services.web.command'],
    ['volumes: ["none:/x"]', 'services.web.volumes[0]'],
    ['volumes: ["d:x"]', 'services.web.volumes[0]'],
    ['volumes: ["d:/x", "d:/x/"]', 'services.web.volumes'],
    ['tmpfs: ["/run:size=big"]', 'services.web.tmpfs[0]'],
    ['depends_on: [nobody]', 'services.web.depends_on[0]'],
    ['depends_on: [web]', 'services.web.depends_on'],
    ['stop_grace_period: 10', 'services.web.stop_grace_period'],
    ['cap_add: [FLY]', 'services.web.cap_add[0]'],
    ['deploy: {replicas: -1}', 'services.web.deploy.replicas'],
    ['deploy: {replicas: 1.5}', 'services.web.deploy.replicas'],
    ['deploy: {resources: {limits: {cpus: fast}}}', 'services.web.deploy.resources.limits.cpus'],
    ['deploy: {resources: {limits: {memory: 1k}}}', 'services.web.deploy.resources.limits.memory'],
    [
      'deploy: {resources: {limits: {cpus: 1}, reservations: {cpus: 2}}}',
      'services.web.deploy.resources.reservations.cpus',
    ],
    ['deploy: {update_config: {order: sideways}}', 'services.web.deploy.update_config.order'],
    [
      'deploy: {update_config: {max_failure_ratio: 2}}',
      'services.web.deploy.update_config.max_failure_ratio',
    ],
    ['healthcheck: {test: [curl]}', 'services.web.healthcheck.test'],
    ['healthcheck: {test: a, interval: 1us}', 'services.web.healthcheck.interval'],
    ['healthcheck: {test: a, disable: true}', 'services.web.healthcheck.disable'],
    ['healthcheck: [a]', 'services.web.healthcheck'],
    ['user: ${WHO:?say who}', 'services.web.user'],
    ['user: ${WHO', 'services.web.user'],
    ['user: *nobody', 'services.web.user'],
  ])('is invalid: %s', (lines, path) => {
    const text = lines.startsWith('image')
      ? `services:\n  web:\n    ${lines}\nvolumes: {d: }`
      : `services:\n  web:\n    image: a\n${lines.replace(/^/gm, '    ')}\nvolumes: {d: }`;
    expect(failure(text).problems[0]).toMatchObject({ code: 'COMPOSE_INVALID', path });
  });

  it.each([
    ['malformed YAML', 'services:\n  web: [', 2],
    ['a tab as indentation', 'services:\n\tweb: {}', 2],
    ['a duplicate key', 'services:\n  web:\n    image: a\n    image: b', 4],
    ['a duplicate service', 'services:\n  web: {image: a}\n  web: {image: b}', 3],
    ['two documents', 'services: {web: {image: a}}\n---\na: 1', 2],
    ['a name that is no DNS label', 'services:\n  Web_1: {image: a}', 2],
    ['no services', 'services: {}', 1],
    ['nothing', '', 1],
    ['text', 'hello', 1],
    ['a list', '- a', 1],
    ['a service that is text', 'services:\n  web: nginx', 2],
    ['a key that is no text', 'services:\n  ? [a]\n  : b', 2],
    ['a merge of text', 'services:\n  web:\n    <<: text\n    image: a', 3],
    [
      'a circle of dependencies',
      'services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, depends_on: [a]}',
      2,
    ],
    [
      'one host port for two',
      'services:\n  a: {image: a, ports: ["80:1"]}\n  b: {image: b, ports: ["80:1"]}',
      3,
    ],
    ['a NUL character', 'services:\n  web:\n    image: "a\\0"', 3],
  ])('is invalid: %s', (_what, text, line) => {
    const error = failure(text);
    expect(error.code).toBe('COMPOSE_INVALID');
    expect(error.problems[0]).toMatchObject({ code: 'COMPOSE_INVALID', line });
  });

  it.each([
    ['services: {web: {image: a}}\nconfigs: {}', 'configs'],
    ['services: {web: {image: a}}\ninclude: [a]', 'include'],
    ['services: {web: {image: a}}\nnetworks: {back: }', 'networks.back'],
    ['services: {web: {image: a}}\nnetworks: {default: {driver: host}}', 'networks.default.driver'],
    ['services: {web: {image: a, volumes: ["d:/d"]}}\nvolumes: {d: {external: true}}', 'volumes.d.external'],
    ['services: {web: {image: a}}\nvolumes: {d: {driver: nfs}}', 'volumes.d.driver'],
  ])('is not supported at the top: %s', (text, path) => {
    const error = failure(text);
    expect(error.code).toBe('COMPOSE_UNSUPPORTED');
    expect(error.problems[0].path).toBe(path);
  });

  it('is told with what was meant', () => {
    expect(problem('enviroment: {}').message).toContain('did you mean "environment"?');
  });

  it('is too large over 1 MiB', () => {
    expect(failure(`# ${'x'.repeat(1_048_576)}`).code).toBe('BODY_TOO_LARGE');
  });
});

describe('a hostile Compose file', () => {
  const laughs = `x-a: &a [l, l, l, l, l, l, l, l, l, l]
${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  .map((name, index) => `x-${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`).join(', ')}]`)
  .join('\n')}
services: {web: {image: a, command: *i}}`;

  it.each([
    ['an alias bomb', laughs],
    ['an anchor within itself', 'services: &s {web: {image: a, command: *s}}'],
    ['a run of open lists', '['.repeat(1_000_000)],
    ['a run of open mappings', '{a: '.repeat(250_000)],
    ['a run of list markers', '- '.repeat(500_000)],
    ['a run of key markers', '? '.repeat(500_000)],
    ['a run of tags', '! '.repeat(500_000)],
    ['a run of anchors', '&a '.repeat(300_000)],
    ['a run of colons', 'a: : '.repeat(200_000)],
    ['deep indentation', Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['very many entries', Array.from({ length: 90_000 }, (_, i) => `a${i}: 1`).join('\n')],
    ['defaults in defaults', `services: {web: {image: "${'${A:-'.repeat(5000)}"}}`],
  ])('is turned away in little time: %s', (_what, text) => {
    const start = performance.now();
    expect(failure(text).code).toBe('COMPOSE_INVALID');
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  it('cannot grow by variables', () => {
    const variables = { A: 'x'.repeat(30_000) };
    expect(failure(`services: {web: {image: "${'$A'.repeat(10)}"}}`, variables).code).toBe('COMPOSE_INVALID');
  });
});
