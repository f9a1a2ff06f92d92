import { quotaResource, type QuotaKey } from './quota-subject.js';

describe('the resource of a quota', () => {
  it.each<[QuotaKey, object]>([
    [
      { scope: 'teams', name: 'acme' },
      { type: 'Team', id: 'acme', team: 'acme' },
    ],
    // Whoever asks cannot lend a team to what is not its own.
    [
      { scope: 'teams', name: 'acme', team: 'mine' },
      { type: 'Team', id: 'acme', team: 'acme' },
    ],
    [
      { scope: 'users', name: 'ann' },
      { type: 'User', id: 'ann' },
    ],
    [
      { scope: 'projects', name: 'shop', team: 'acme' },
      { type: 'Project', id: 'shop', team: 'acme', project: 'shop' },
    ],
    [
      { scope: 'environments', name: 'shop.dev', team: 'acme' },
      { type: 'Environment', id: 'shop.dev', team: 'acme', project: 'shop', environment: 'dev' },
    ],
  ])('of %j', (key, resource) => {
    expect(quotaResource(key)).toEqual(resource);
  });

  it.each<[QuotaKey, string]>([
    [{ scope: 'teams', name: 'Acme' }, 'name'],
    [{ scope: 'users', name: '' }, 'name'],
    [{ scope: 'projects', name: 'shop.dev', team: 'acme' }, 'name'],
    [{ scope: 'environments', name: 'shop', team: 'acme' }, 'name'],
    [{ scope: 'environments', name: 'shop.dev.x', team: 'acme' }, 'name'],
    [{ scope: 'environments', name: 'shop.', team: 'acme' }, 'name'],
    [{ scope: 'projects', name: 'shop' }, 'team'],
  ])('is refused for %j', (key, path) => {
    expect(() => quotaResource(key)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        extensions: { fields: [expect.objectContaining({ path })] },
      }),
    );
  });
});
