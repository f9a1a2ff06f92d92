import { parseChallenge } from './challenge.js';

describe('a challenge', () => {
  it('is read with its parameters', () => {
    const header =
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"';
    expect(parseChallenge(header)).toEqual({
      scheme: 'bearer',
      parameters: {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push',
      },
    });
    expect(parseChallenge('basic Realm = "a \\"quoted\\" one"')).toEqual({
      scheme: 'basic',
      parameters: { realm: 'a "quoted" one' },
    });
    expect(parseChallenge('Basic')).toEqual({ scheme: 'basic', parameters: {} });
  });

  it('keeps the first of two parameters with one name', () => {
    expect(parseChallenge('Bearer realm="https://first",realm="https://second"')?.parameters['realm']).toBe(
      'https://first',
    );
  });

  it.each([undefined, '', 'Negotiate', 'Bearerrealm="x"'])(
    '%j is none that a registry client meets',
    (header) => {
      expect(parseChallenge(header)).toBeNull();
    },
  );
});
