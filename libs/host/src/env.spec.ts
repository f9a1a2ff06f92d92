import { inheritedEnvironment, readHostSettings, withoutShell } from './env.js';

describe('settings', () => {
  it('have a default each', () => {
    const settings = readHostSettings({});
    expect(settings.ports).toMatchObject({
      gateway: 4400,
      'registry-proxy': 4401,
      nats: 4410,
      postgres: 4411,
      ingress: 4490,
      'ingress-tls': 4493,
    });
    expect(settings.isolation).toBe(true);
    expect(JSON.parse(settings.upstreams)).toEqual({ 'docker.io': { url: 'https://registry-1.docker.io' } });
  });

  it.each([
    ['BERTH_PORT', '80a'],
    ['BERTH_REGISTRY_PORT', '70000'],
    ['BERTH_UPSTREAMS', '{docker.io}'],
    ['BERTH_CACHE_SIZE', 'all'],
    ['BERTH_MIRROR_PORT', 'docker.io'],
    ['BERTH_BUILD_CPUS', 'all'],
    ['BERTH_BUILD_MEMORY', '2 gigs'],
    ['BERTH_BUILDS', '0'],
    ['BERTH_ISOLATION', 'no'],
    ['BERTH_REGISTRY_HOST', 'http://10.0.0.1:4401'],
    ['BERTH_INGRESS_TLS', 'on'],
    ['BERTH_ACME_CA_FILE', 'ca.pem'],
  ])('name %s when it is wrong', (name, value) => {
    expect(() => readHostSettings({ [name]: value })).toThrow(name);
  });

  it('name an object storage, with all that it takes', () => {
    expect(readHostSettings({}).objectStore).toEqual({});
    const s3 = {
      BERTH_STORE: 's3://images/berth',
      BERTH_S3_ACCESS_KEY_ID: 'id',
      BERTH_S3_SECRET_ACCESS_KEY: 'key',
    };
    const more = { BERTH_S3_ENDPOINT: 'https://s3.example.org', BERTH_S3_REDIRECT: 'on' };
    expect(readHostSettings({ ...s3, ...more }).objectStore).toEqual({
      REGISTRY_STORE: 's3://images/berth',
      REGISTRY_S3_ENDPOINT: 'https://s3.example.org',
      REGISTRY_S3_REDIRECT: 'on',
      REGISTRY_S3_ACCESS_KEY_ID: 'id',
      REGISTRY_S3_SECRET_ACCESS_KEY: 'key',
    });
    for (const [name, value] of [
      ['BERTH_STORE', '/var/images'],
      ['BERTH_S3_ENDPOINT', 's3.example.org'],
      ['BERTH_S3_SECRET_ACCESS_KEY', ''],
      ['BERTH_S3_REDIRECT', 'yes'],
    ])
      expect(() => readHostSettings({ ...s3, [name]: value })).toThrow(name);
  });

  it('hand on what a process needs, and no secret of the caller', () => {
    const env = {
      PATH: '/bin',
      HTTPS_PROXY: 'http://proxy',
      AWS_SECRET_ACCESS_KEY: 'x',
      BERTH_TOKEN: 'x',
      LC_ALL: 'C',
    };
    expect(inheritedEnvironment(env)).toEqual({ PATH: '/bin', HTTPS_PROXY: 'http://proxy', LC_ALL: 'C' });
  });

  it('are the same to a service whether npm or a shell called', () => {
    const settings = { HTTP_PORT: '4400', HTTPS_PROXY: 'http://proxy' };
    expect(withoutShell({ ...settings, PATH: '/x/node_modules/.bin:/bin', LANG: 'C' })).toEqual(settings);
  });
});
