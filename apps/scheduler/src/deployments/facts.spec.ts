import { readCompose } from '../compose/index.js';
import { amountsOf, deploymentFacts, tagOf } from './facts.js';

const image = (repository: string, user = '') => ({ repository, user });

const { spec } = readCompose(
  `
services:
  web:
    image: acme/web:2
    user: "1000"
    read_only: true
    ports: ["80:80", "8080"]
    x-berth: { http: 8080, hosts: [shop.example.org] }
    deploy: { replicas: 3, resources: { limits: { cpus: "0.3333", memory: 1g } } }
  db:
    image: postgres
    cap_add: [SYS_NICE]
    volumes: ["data:/data"]
volumes: { data: }
`,
  {},
);

describe('the facts of a deployment', () => {
  it('are those of all services together', () => {
    const images = { web: image('acme/web'), db: image('docker.io/library/postgres', 'postgres') };
    expect(deploymentFacts('dev', 'sha256:x', spec, images)).toEqual({
      environment: 'dev',
      release: 'sha256:x',
      services: ['db', 'web'],
      images: ['acme/web:2', 'postgres'],
      registries: ['berth', 'docker.io'],
      tags: ['2', 'latest'],
      users: ['1000', 'postgres'],
      capAdd: ['SYS_NICE'],
      publishedPorts: [0, 80],
      minPublishedPort: 80,
      hosts: ['shop.example.org'],
      volumes: ['data'],
      allReadOnly: false,
      instances: 4,
      cpuMillis: 2002,
      memoryBytes: 3 * 1024 ** 3 + 512 * 1024 ** 2,
      maxMemoryBytes: 1024 ** 3,
    });
  });

  it('say of quota what all instances may use, a part of a thousandth as a whole one', () => {
    expect(amountsOf(spec)).toEqual({ cpu: 2.002, memory: 3_758_096_384, instances: 4 });
  });

  it.each([
    ['nginx', 'latest'],
    ['nginx:1', '1'],
    ['host:5000/nginx', 'latest'],
    ['host:5000/nginx:1.2-a', '1.2-a'],
    [`nginx@sha256:${'1'.repeat(64)}`, null],
  ])('read the tag of %s', (reference, tag) => expect(tagOf(reference)).toBe(tag));
});
