import type { SwarmService, Task, TaskState } from './engine-api.js';
import { LABEL } from './labels.js';
import { judge, taskMessage } from './verdict.js';

const labels = (deployment: string) => ({
  [LABEL.deployment]: deployment,
  [LABEL.release]: 'r1',
  [LABEL.template]: deployment === 'd1' ? 'new' : 'old',
});
let tasks = 0;

function task(
  state: TaskState,
  status: Partial<Task['Status']> = {},
  deployment = 'd1',
  desired = 'running',
): Task {
  tasks += 1;
  return {
    ID: `t${tasks}`,
    CreatedAt: '2026-01-01T00:00:00Z',
    ServiceID: 's1',
    DesiredState: desired,
    Spec: { ContainerSpec: { Image: 'x', Labels: labels(deployment) } },
    Status: { State: state, Timestamp: `2026-01-01T00:00:${String(tasks).padStart(2, '0')}Z`, ...status },
  };
}

function verdict(
  own: Task[],
  { replicas = 1, deployment = 'd1', before = [] as Task[], homelessMs = 0 } = {},
) {
  const service = {
    ID: 's1',
    Version: { Index: 1 },
    Spec: {
      Labels: labels(deployment),
      Mode: { Replicated: { Replicas: replicas } },
      TaskTemplate: { ContainerSpec: { Labels: labels(deployment) } },
    },
  } as unknown as SwarmService;
  const ids = new Set(before.map((one) => one.ID));
  return judge({ service, tasks: [...before, ...own], deployment: 'd1', before: ids, homelessMs });
}

describe('what tasks say about a service', () => {
  it('is settled when all instances run and no other does', () => {
    expect(verdict([task('running')])).toEqual({ state: 'settled', running: 1 });
    expect(verdict([task('running'), task('running')], { replicas: 2 }).state).toBe('settled');
    expect(verdict([], { replicas: 0 }).state).toBe('settled');
    expect(verdict([task('running'), task('shutdown', {}, 'd0', 'shutdown')]).state).toBe('settled');
  });

  it('is waiting while some do not, or old ones are still there, or more than wanted', () => {
    expect(verdict([])).toMatchObject({ state: 'waiting', message: '0 of 1 running' });
    expect(verdict([task('starting')])).toMatchObject({ message: '0 of 1 running, starting' });
    expect(verdict([task('running'), task('running', {}, 'd0', 'shutdown')])).toMatchObject({
      message: '1 of 1 running, others are stopping',
    });
    expect(verdict([task('running', {}, 'd1', 'shutdown')]).state).toBe('waiting');
  });

  it('bears a start or two that fail, and no third', () => {
    const crash = () => task('failed', { Err: 'task: non-zero exit (3)', ContainerStatus: { ExitCode: 3 } });
    expect(verdict([crash(), crash(), task('running')]).state).toBe('settled');
    expect(verdict([crash(), crash(), crash(), task('running')])).toMatchObject({
      state: 'failed',
      message: '3 starts failed: the container exited with code 3',
    });
    expect(verdict([task('running')], { before: [crash(), crash(), crash()] }).state).toBe('settled');
  });

  it('is failed when it is another deployment’s by now', () => {
    expect(verdict([task('running')], { deployment: 'd0' })).toMatchObject({
      state: 'failed',
      message: 'the service was changed from outside',
    });
  });

  it('is failed when no node has had room for some time', () => {
    const homeless = task('pending', { Err: 'no suitable node (insufficient resources on 1 node)' });
    expect(verdict([homeless], { homelessMs: 1_000 }).state).toBe('waiting');
    expect(verdict([homeless], { homelessMs: 5_000 })).toMatchObject({
      state: 'failed',
      message: 'no suitable node (insufficient resources on 1 node)',
    });
  });

  it.each([
    [{ State: 'complete' }, 'the container ended by itself, with exit code 0'],
    [
      { State: 'failed', Err: 'task: non-zero exit (137)', ContainerStatus: { ExitCode: 137 } },
      'the container exited with code 137',
    ],
    [
      { State: 'failed', Err: 'task: non-zero exit (3): dockerexec: unhealthy container' },
      'the container exited with code 3: dockerexec: unhealthy container',
    ],
    [{ State: 'rejected', Err: 'No such image: x' }, 'No such image: x'],
    [
      { State: 'failed', Err: 'starting container failed', ContainerStatus: { ExitCode: 127 } },
      'starting container failed (exit code 127)',
    ],
  ] as const)('is told to a person: %j', (status, message) => {
    expect(taskMessage(task(status.State, status))).toBe(message);
  });
});
