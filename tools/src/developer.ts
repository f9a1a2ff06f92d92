import type { TestPlatform } from '@berth/testing';

/** The token of a developer of a new team `acme`, who may do no more than that. */
export async function makeDeveloper({ api }: Pick<TestPlatform, 'api'>): Promise<string> {
  const made = async <T>(answer: Promise<{ status: number; body: T }>): Promise<T> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(JSON.stringify(body));
    return body;
  };
  await made(api.post('/v1/teams', { name: 'acme' }));
  await made(api.post('/v1/users', { name: 'dana' }));
  await made(api.put('/v1/teams/acme/members/dana', { role: 'developer' }));
  const { token } = await made(api.post<{ token: string }>('/v1/tokens', { user: 'dana', scopes: ['*'] }));
  return token;
}
