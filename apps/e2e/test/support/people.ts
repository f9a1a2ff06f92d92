import type { Deployment, IssuedToken, Page, Service } from '@berth/contracts';
import { type ApiAnswer, type ApiClient, eventually, type TestPlatform } from '@berth/testing';

/** Fails with what the gateway said when the status is another. */
export function expectStatus<T>(answer: ApiAnswer<T>, status: number): T {
  if (answer.status !== status)
    throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Makes a team, a user of it with this role, and answers the gateway as that user. */
export async function newcomer(
  platform: TestPlatform,
  team: string,
  user: string,
  role = 'developer',
): Promise<ApiClient> {
  const { api } = platform;
  const made = await api.post('/v1/teams', { name: team });
  if (made.status !== 201 && made.status !== 409) expectStatus(made, 201);
  expectStatus(await api.post('/v1/users', { name: user }), 201);
  expectStatus(await api.put(`/v1/teams/${team}/members/${user}`, { role }), 200);
  const { token } = expectStatus(await api.post<IssuedToken>('/v1/tokens', { user }), 201);
  return api.as(token);
}

/** Makes a project with the environment `dev`. */
export async function newProject(as: ApiClient, team: string, project: string): Promise<void> {
  expectStatus(await as.post('/v1/projects', { name: project, team }), 201);
  expectStatus(await as.post(`/v1/projects/${project}/environments`, { name: 'dev' }), 201);
}

export function postDeployment(
  as: ApiClient,
  project: string,
  compose: string,
): Promise<ApiAnswer<Deployment>> {
  return as.post<Deployment>(`/v1/projects/${project}/environments/dev/deployments`, { compose });
}

/** Deploys to `dev` and waits for the end, whatever it is. */
export async function deploy(as: ApiClient, project: string, compose: string): Promise<Deployment> {
  const { id } = expectStatus(await postDeployment(as, project, compose), 202);
  return ended(as, id);
}

export function ended(as: ApiClient, id: string): Promise<Deployment> {
  return eventually(
    async () => {
      const deployment = expectStatus(await as.get<Deployment>(`/v1/deployments/${id}`), 200);
      expect(['pending', 'running']).not.toContain(deployment.status);
      return deployment;
    },
    { timeout: 90_000, interval: 100 },
  );
}

export async function services(as: ApiClient, project: string): Promise<Service[]> {
  return expectStatus(await as.get<Page<Service>>(`/v1/projects/${project}/environments/dev/services`), 200)
    .items;
}

/** What `web` shows at the port that it has now. */
export async function webPage(as: ApiClient, project: string, path = '/cgi-bin/page'): Promise<string> {
  const web = (await services(as, project)).find(({ name }) => name === 'web');
  const url = web?.ports[0]?.url;
  if (!url) throw new Error(`web has no URL: ${JSON.stringify(web)}`);
  return (await fetch(new URL(path, url))).text();
}
