import { planPrerequisites, type MachineFacts, type Purpose } from './prerequisites.js';

const ready: MachineFacts = {
  linux: true,
  debianLike: true,
  distribution: 'Debian GNU/Linux 12 (bookworm)',
  root: true,
  commands: ['docker', 'dockerd', 'nats-server', 'iptables', 'docker-registry', 'skopeo', 'caddy'],
  engine: true,
  defaultDockerHost: true,
  localEngine: true,
  postgres: true,
  account: true,
  certificates: true,
  busybox: true,
  objectStorage: true,
  isolation: true,
};

/** A machine as it comes: Debian, root, nothing but Node. */
const fresh: MachineFacts = {
  ...ready,
  commands: [],
  engine: false,
  account: false,
  certificates: false,
  busybox: false,
  objectStorage: false,
};

function names(facts: MachineFacts, ...purposes: Purpose[]): string[] {
  return planPrerequisites(facts, purposes)
    .steps.map((step) => step.name)
    .sort();
}

describe('the plan of prerequisites', () => {
  it('is empty where all is in place', () => {
    expect(planPrerequisites(ready, ['platform', 'sample', 'tests'])).toEqual({ steps: [], obstacles: [] });
  });

  it('names what a fresh machine needs, each with its reason', () => {
    const { steps, obstacles } = planPrerequisites(fresh, ['platform']);
    expect(steps.map((step) => step.name).sort()).toEqual([
      'berth',
      'ca-certificates',
      'caddy',
      'docker.io',
      'iptables',
      'nats-server',
    ]);
    expect(steps.every((step) => step.reason.length > 10)).toBe(true);
    expect(obstacles).toEqual([]);
  });

  it('adds what the sample and the tests are made from', () => {
    expect(names(fresh, 'platform', 'sample')).toContain('busybox');
    expect(names(fresh, 'platform')).not.toContain('busybox');
    expect(names(fresh, 'platform', 'tests')).toEqual(
      expect.arrayContaining(['docker-registry', 'skopeo', 'busybox', 'python3-swift']),
    );
  });

  it('installs an engine only where none answers', () => {
    const client: MachineFacts = { ...ready, commands: ['docker', 'nats-server', 'iptables', 'caddy'] };
    expect(names(client, 'platform')).toEqual([]);
    expect(names({ ...client, engine: false }, 'platform')).toEqual(['docker.io']);
  });

  it('tells a plain user the command for root', () => {
    const { obstacles } = planPrerequisites({ ...fresh, root: false, isolation: false, engine: true }, [
      'platform',
    ]);
    expect(obstacles).toEqual([expect.stringMatching(/sudo apt-get install .*nats-server/)]);
  });

  it('asks a plain user for nothing more where all is in place', () => {
    const user: MachineFacts = { ...ready, root: false, account: false, isolation: false };
    expect(planPrerequisites(user, ['platform'])).toEqual({ steps: [], obstacles: [] });
  });

  it('does not run without isolation unless told to', () => {
    const { obstacles } = planPrerequisites({ ...ready, root: false }, ['platform']);
    expect(obstacles).toEqual([expect.stringContaining('BERTH_ISOLATION=off')]);
  });

  it('names the packages on another distribution', () => {
    const fedora = { ...fresh, debianLike: false, distribution: 'Fedora Linux 44' };
    const { obstacles } = planPrerequisites(fedora, ['platform']);
    expect(obstacles).toEqual([
      expect.stringMatching(/Fedora Linux 44.*Install.*docker\.io.*nats-server|nats-server/),
    ]);
  });

  it('leaves an engine at another address to whoever named it', () => {
    const remote = { ...ready, engine: false, defaultDockerHost: false, localEngine: false };
    const { steps, obstacles } = planPrerequisites(remote, ['platform']);
    expect(steps).toEqual([]);
    expect(obstacles).toEqual([expect.stringContaining('DOCKER_HOST')]);
  });

  it('says what to do without a Postgres', () => {
    const { obstacles } = planPrerequisites({ ...ready, postgres: false }, ['platform']);
    expect(obstacles).toEqual([expect.stringContaining('BERTH_POSTGRES_URL')]);
  });

  it('does not begin on another system', () => {
    expect(planPrerequisites({ ...fresh, linux: false }, ['platform']).obstacles).toHaveLength(1);
  });
});
