import { BerthError } from '@berth/contracts';
import { runCases } from '../cases/case-runner.js';
import { CedarProcess } from '../cedar/cedar-process.js';
import { PolicyCompiler } from '../cedar/policy-compiler.js';
import { EVERYWHERE } from '../policies/bound-policies.js';
import { PolicyJudge } from '../simulation/policy-judge.js';
import { readEntry, render } from './library-entry.js';
import { LIBRARY } from './policy-library.js';

const cedar = new CedarProcess();
const compiler = new PolicyCompiler(cedar);
afterAll(() => cedar.close());

async function judge(texts: Record<string, string>): Promise<PolicyJudge> {
  const { policies, broken } = await compiler.compileSet(new Map(Object.entries(texts)));
  expect([...broken]).toEqual([]);
  const bindings = new Map(Object.keys(texts).map((id) => [id, EVERYWHERE]));
  return new PolicyJudge({ policies, broken, bindings, exceptions: [] });
}
const permitAll = 'permit (principal, action, resource);';

describe.each([...LIBRARY.values()])('the ready policy $id', (entry) => {
  const { id, cases } = entry;

  it('does what its cases say, and has one for each answer', async () => {
    const all = await judge({ 'permit-all': permitAll, [id]: render(entry, id, {}) });
    const failed = runCases(all, cases).cases.filter(({ passed }) => !passed);
    expect(failed).toEqual([]);
    expect(new Set(cases.map(({ expect: answer }) => answer))).toEqual(new Set(['allow', 'deny']));
  });

  it('is laid out, names no parameter that it has not, and uses all it has', () => {
    const used = [...entry.text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(Object.keys(entry.parameters)));
  });

  it('fails its cases where it is left out: they test something', async () => {
    const { failed } = runCases(await judge({ 'permit-all': permitAll }), cases);
    expect(failed).toBeGreaterThan(0);
  });
});

describe('the library', () => {
  it('has what was promised', () => {
    expect([...LIBRARY.keys()]).toEqual([
      ...[
        'bases-from',
        'change-window',
        'digest-pinned',
        'exec-own-team',
        'image-age',
        'images-from',
        'limits-required',
        'no-host-mounts',
      ],
      ...['no-latest', 'no-privileged', 'non-root', 'read-only-root', 'size-cap', 'two-persons'],
    ]);
  });

  const entry = readEntry(
    'sample',
    `
summary: s
parameters:
  words: { type: set, default: [a], summary: s }
  word: { type: text, default: a, summary: s }
  number: { type: number, default: 1, summary: s }
policy: \${words} \${word} \${number}
cases:
  - { name: a, action: team.list, expect: deny }
  - { name: b, action: team.list, expect: allow }
`,
  );

  it('takes values for parameters', () => {
    expect(render(entry, 'mine', { words: ['x', 'y/z:1'], number: 7 })).toBe(
      '@id("mine")\n["x", "y/z:1"] "a" 7',
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['that there are not', { other: 1 }],
    ['of another type', { number: 'a' }],
    ['of another type', { words: 'a' }],
  ])('refuses values %s', (_what, given) => {
    expect(() => render(entry, 'mine', given as never)).toThrow(BerthError);
  });
});
