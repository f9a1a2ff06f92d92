import { encodeCursor, type IssuedToken, type Problem } from '@berth/contracts';
import { type ApiClient, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { engineObjects } from './support/engine.js';
import { buildWebImages } from './support/images.js';
import { expectStatus, newcomer, newProject, postDeployment } from './support/people.js';

jest.setTimeout(180_000);

describe('bad input', () => {
  let platform: TestPlatform;
  let dana: ApiClient;

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana');
    await newProject(dana, 'acme', 'shop');
  });

  afterAll(async () => {
    await platform?.stop();
  });

  const image = (reference: string) => `services:\n  web:\n    image: ${reference}\n`;

  it.each([
    ['malformed YAML', 'services:\n  web: [', 400, 'COMPOSE_INVALID', /line \d/],
    [
      'an unknown key',
      'services:\n  web:\n    image: web:1\n    imagee: x\n',
      400,
      'COMPOSE_UNSUPPORTED',
      /imagee/,
    ],
    [
      'a key that is not supported',
      'services:\n  web:\n    image: web:1\n    privileged: true\n',
      400,
      'COMPOSE_UNSUPPORTED',
      /privileged/,
    ],
    [
      'a bind mount',
      'services:\n  web:\n    image: web:1\n    volumes: ["/etc:/etc"]\n',
      400,
      'COMPOSE_UNSUPPORTED',
      /\/etc|volumes/,
    ],
    [
      'a service name that is no DNS label',
      'services:\n  Web_1:\n    image: web:1\n',
      400,
      'COMPOSE_INVALID',
      /Web_1/,
    ],
    ['no services', 'services: {}\n', 400, 'COMPOSE_INVALID', /service/],
    ['a missing image', image('nowhere:1'), 404, 'IMAGE_NOT_FOUND', /nowhere/],
    ['a missing tag', image('web:99'), 404, 'IMAGE_NOT_FOUND', /web:99/],
    ['a wrong digest', image(`web@sha256:${'0'.repeat(64)}`), 404, 'IMAGE_NOT_FOUND', /sha256:000/],
    ['a malformed digest', image('web@sha256:xyz'), 400, '(REFERENCE|DIGEST)_INVALID', /xyz/],
    ['an image of another architecture', image('elsewhere:1'), 422, 'IMAGE_PLATFORM_MISMATCH', /s390x/],
    [
      'a registry that is not configured',
      image('registry.example/web:1'),
      422,
      'UPSTREAM_UNKNOWN',
      /registry\.example/,
    ],
  ])('%s is a clear error', async (_what, compose, status, code, detail) => {
    const { status: got, body } = await postDeployment(dana, 'shop', compose);
    const problem = body as unknown as Problem;
    expect({ status: got, code: problem.code, detail: JSON.stringify(problem) }).toEqual({
      status,
      code: expect.stringMatching(new RegExp(`^${code}$`)) as string,
      detail: expect.stringMatching(detail) as string,
    });
  });

  it('names the line and the key of all that is wrong at once', async () => {
    const compose = 'services:\n  web:\n    image: web:1\n    privileged: true\n    links: [api]\n';
    const { body } = await postDeployment(dana, 'shop', compose);
    expect(body).toMatchObject({ problems: [{ line: 4 }, { line: 5 }] });
  });

  it.each([
    [
      'a name that is no DNS label',
      'POST',
      '/v1/projects',
      { name: 'My Project', team: 'acme' },
      400,
      'VALIDATION_FAILED',
    ],
    [
      'an unknown field',
      'POST',
      '/v1/projects',
      { name: 'other', team: 'acme', colour: 'red' },
      400,
      'VALIDATION_FAILED',
    ],
    ['a body that is no JSON', 'POST', '/v1/projects', '{"name":', 400, 'BODY_INVALID'],
    [
      'a project that is there already',
      'POST',
      '/v1/projects',
      { name: 'shop', team: 'acme' },
      409,
      'ALREADY_EXISTS',
    ],
    ['a path that is not there', 'GET', '/v1/nothing', undefined, 404, 'NOT_FOUND'],
    ['a forged cursor', 'GET', '/v1/projects?cursor=x', undefined, 400, 'CURSOR_INVALID'],
    [
      'a cursor with a position that no list has',
      'GET',
      `/v1/projects/shop/environments/dev/deployments?cursor=${encodeCursor({ id: 'none' })}`,
      undefined,
      400,
      'CURSOR_INVALID',
    ],
    [
      'a cursor with a NUL',
      'GET',
      `/v1/projects?cursor=${encodeCursor({ name: 'a\0' })}`,
      undefined,
      400,
      'CURSOR_INVALID',
    ],
    ['an unknown query parameter', 'GET', '/v1/projects?page=2', undefined, 400, 'VALIDATION_FAILED'],
    ['an id that is none', 'GET', '/v1/deployments/none', undefined, 400, 'VALIDATION_FAILED'],
  ])(
    '%s is a clear error, as problem+json with a correlation id',
    async (_what, method, path, body, status, code) => {
      const answer = await dana.request<Problem>(method, path, { body });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.body.correlationId).toBe(answer.headers.get('x-correlation-id'));
    },
  );

  it('a body over the limit is refused', async () => {
    const { status, body } = await postDeployment(dana, 'shop', `# ${'x'.repeat(3 * 1024 * 1024)}`);
    expect([status, (body as unknown as Problem).code]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  it('no token, a wrong one, an expired one and a revoked one are refused, each by name', async () => {
    const codeFor = async (token?: string) =>
      (await platform.api.as(token).get<Problem>('/v1/projects')).body.code;
    const { token: brief } = expectStatus(
      await dana.post<IssuedToken>('/v1/tokens', { expiresInSeconds: 1 }),
      201,
    );
    const revoked = expectStatus(await dana.post<IssuedToken>('/v1/tokens', {}), 201);
    expectStatus(await dana.delete(`/v1/tokens/${revoked.id}`), 204);
    expect(await codeFor()).toBe('UNAUTHENTICATED');
    expect(await codeFor('berth_wrong')).toBe('UNAUTHENTICATED');
    expect(await codeFor(revoked.token)).toBe('TOKEN_REVOKED');
    await eventually(async () => expect(await codeFor(brief)).toBe('TOKEN_EXPIRED'));
  });

  it('a token does what its scopes cover, and no more', async () => {
    const { token } = expectStatus(await dana.post<IssuedToken>('/v1/tokens', { scopes: ['read'] }), 201);
    const reader = platform.api.as(token);
    expect((await reader.get('/v1/projects/shop')).status).toBe(200);
    const refused = await reader.post<Problem>('/v1/projects', { name: 'other', team: 'acme' });
    expect([refused.status, refused.body.code]).toEqual([403, 'POLICY_DENIED']);
  });

  it('left nothing behind', () => {
    // The network of a new environment is there before anything runs in it.
    expect(engineObjects(platform)).toMatchObject({ services: [], containers: [] });
  });
});
