import { DatabaseEnv, readEnv } from './env.js';

describe('the environment of a service', () => {
  it('has defaults for what can have one', () => {
    const env = readEnv(DatabaseEnv, { DATABASE_URL: 'postgres://a@b/c' });
    expect(env).toMatchObject({ HTTP_HOST: '127.0.0.1', HTTP_PORT: 0, LOG_LEVEL: 'info' });
  });

  it('names each variable that is missing or wrong, and shows no value: it may be a secret', () => {
    const wrong = () =>
      readEnv(DatabaseEnv, { DATABASE_URL: 'mysql://root:hunter2@db', HTTP_PORT: 'eighty' });
    expect(wrong).toThrow(/DATABASE_URL[^]*HTTP_PORT|HTTP_PORT[^]*DATABASE_URL/);
    expect(wrong).not.toThrow(/hunter2/);
  });
});
