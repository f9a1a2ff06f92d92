import { chooseInstance } from './choose-instance.js';
import type { SwarmService, Task } from './engine-api.js';
import { LABEL } from './labels.js';

const service = (id: string, name: string): SwarmService =>
  ({ ID: id, Spec: { Labels: { [LABEL.service]: name } } }) as unknown as SwarmService;
const task = (id: string, of: string, node: string, createdAt: string, state = 'running'): Task =>
  ({
    ID: id,
    ServiceID: of,
    NodeID: node,
    CreatedAt: createdAt,
    DesiredState: 'running',
    Status: { State: state },
  }) as Task;

const state = {
  services: [service('s1', 'web'), service('s2', 'web'), service('s3', 'db')],
  tasks: [
    task('aaa1', 's1', 'here', '2026-05-01T10:00:00Z'),
    task('aaa2', 's2', 'here', '2026-05-01T11:00:00Z'),
    task('bbb1', 's2', 'there', '2026-05-01T12:00:00Z'),
    task('ccc1', 's2', 'here', '2026-05-01T13:00:00Z', 'failed'),
    task('ddd1', 's3', 'there', '2026-05-01T10:00:00Z'),
  ],
};
const here = { id: 'here', names: new Map([['there', 'worker-2']]) };
const choose = (name: string, instance: string | null): string =>
  chooseInstance(state, { service: name, instance }, here).ID;

test('it is the newest that runs on this node', () => expect(choose('web', null)).toBe('aaa2'));
test('it can be named by its beginning', () => expect(choose('web', 'aaa1')).toBe('aaa1'));
test.each([
  ['web', 'aaa', 'CONFLICT'],
  ['web', 'bbb1', 'INSTANCE_ELSEWHERE'],
  ['db', null, 'INSTANCE_ELSEWHERE'],
  ['web', 'ccc1', 'INSTANCE_NOT_RUNNING'],
  ['web', 'ddd1', 'NOT_FOUND'],
  ['none', null, 'INSTANCE_NOT_RUNNING'],
])('%s %s is %s', (name, instance, code) => {
  expect(() => choose(name, instance)).toThrow(expect.objectContaining({ code }));
});
test('where it runs is told by the name of the node, or by its id where it has none yet', () => {
  expect(() => choose('db', null)).toThrow(
    /ddd1 of "db" runs on the node "worker-2", .*those on "here" only/,
  );
});
