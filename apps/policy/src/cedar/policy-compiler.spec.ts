import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { actions, type BerthError } from '@berth/contracts';
import { CedarProcess } from './cedar-process.js';
import { resourceEntity, userEntity } from './entities.js';
import type { EvaluationRequest } from './evaluator.js';
import { ClosureEvaluator } from './closure-evaluator.js';
import { isSame, shardsOf } from './policy-shards.js';
import { WasmEvaluator } from './wasm-evaluator.js';
import { PolicyCompiler } from './policy-compiler.js';

const cedar = new CedarProcess();
const compiler = new PolicyCompiler(cedar);
afterAll(() => cedar.close());

const parse = async (text: string): Promise<PolicyJson> => (await compiler.compile('it', text)).json;
const admins = () => parse(when('principal.admin'));
const when = (condition: string): string => `permit (principal, action, resource)\nwhen { ${condition} };`;
const rejection = (text: string): Promise<BerthError> =>
  compiler.compile('it', text).then(
    () => Promise.reject(new Error('it was compiled')),
    (error: BerthError) => error,
  );

describe('a policy that holds', () => {
  it('is told with its effect and message', async () => {
    const text = '@id("it") @message("Nobody.")\nforbid (principal, action, resource);';
    await expect(compiler.compile('it', text)).resolves.toMatchObject({
      effect: 'forbid',
      message: 'Nobody.',
    });
  });

  it('has a message of its own without one', async () => {
    expect((await compiler.compile('it', 'permit (principal, action, resource);')).message).toBe(
      'The policy "it".',
    );
  });
});

describe('a policy that does not hold', () => {
  it.each([
    ['a syntax error', 'permit (principal, action, resource)\nwhen { principal.admin', { line: 2 }],
    ['an unknown attribute', when('resource has team &&\n  principal.adminn'), { line: 3, column: 3 }],
    ['an unknown action', 'permit (principal, action == Berth::Action::"ship", resource);', { line: 1 }],
    ['a type error', when('principal.name == 3'), { line: 2, column: 8 }],
    ['what never matches', when('resource is Berth::Team && resource is Berth::User'), {}],
    [
      'two policies',
      `${when('true')}\n${when('true')}`,
      { message: 'It holds 2 policies; apply them one by one.' },
    ],
    ['a template', 'permit (principal == ?principal, action, resource);', {}],
    ['another id', '@id("other")\npermit (principal, action, resource);', {}],
    ['no policy', 'hello', { line: 1, column: 1 }],
    ['a number that JSON cannot hold', when('9007199254740993 == 1'), {}],
    ['letters that look like others', when('"аdmin" == principal.name'), { line: 2 }],
  ])('is refused with its problems: %s', async (_what, text, problem) => {
    const error = await rejection(text);
    expect(error.code).toBe('POLICY_INVALID');
    expect((error.extensions.errors as object[])[0]).toMatchObject(problem);
  });

  it('is told of one by one in a set', async () => {
    const set = new Map([
      ['good', when('principal.admin')],
      ['mistyped', when('principal.adminn')],
      ['torn', 'permit (principal'],
    ]);
    const { policies, broken } = await compiler.compileSet(set);
    expect([...policies.keys()]).toEqual(['good']);
    expect([...broken.keys()]).toEqual(['mistyped', 'torn']);
  });
});

describe('hostile text', () => {
  const evaluator = new WasmEvaluator();
  const request: EvaluationRequest = {
    action: actions.teamRead,
    hook: 'before',
    principal: userEntity({ name: 'ada', kind: 'user', admin: true, teams: [] }),
    resource: resourceEntity({ type: 'Team', id: 'acme' }),
    context: {},
  };
  beforeAll(async () => evaluator.load(new Map([['admins', await admins()]])));
  afterEach(() => expect(evaluator.decide(request)).toMatchObject({ allowed: true, errors: [] }));

  const chain = (operand: string, operator: string): string => Array(900).fill(operand).join(operator);
  it.each([
    ['nested parentheses', when(`${'('.repeat(5_000)}true${')'.repeat(5_000)}`)],
    ['an else-if chain', when(`${'if 1 == 2 then true else '.repeat(490)}true`)],
    ['an && chain', when(chain('principal.admin', ' && '))],
    ['a sum', when(`${chain('1', ' + ')} == 1`)],
    ['calls upon calls', when(`[1]${'.contains(1)'.repeat(900)}`)],
    ['attributes of attributes', when(`context${'["a"]'.repeat(1_200)} == 1`)],
    ['unfinished text', `${when('true')}permit (`],
  ])('is refused and harms nobody: %s', async (_what, text) => {
    expect((await rejection(text)).code).toBe('POLICY_INVALID');
    await expect(compiler.compile('next', when('principal.admin'))).resolves.toMatchObject({
      effect: 'permit',
    });
  });

  // What the limits let through must not kill the live evaluator either, whose stack is no larger.
  it.each([
    ['&&', (n: number) => Array(n).fill('principal.admin').join(' && ')],
    ['||', (n: number) => Array(n).fill('principal.name == "x"').join(' || ')],
    ['+', (n: number) => `${Array(n).fill('1').join(' + ')} == 1`],
    ['if', (n: number) => `${'if principal.name == "x" then true else '.repeat(n)}principal.admin`],
    [
      'records',
      (n: number) =>
        `{a: {a: 1}} == {a: {a: 1}} || ${Array(2)
          .fill(`${'{a: '.repeat(n)}1${'}'.repeat(n)}`)
          .join(' == ')}`,
    ],
    [
      'sets',
      (n: number) =>
        Array(2)
          .fill(`${'['.repeat(n)}1${']'.repeat(n)}`)
          .join(' == '),
    ],
    ['calls', (n: number) => `${'[true].contains('.repeat(n)}principal.admin${')'.repeat(n)}`],
    [
      'negations of a chain',
      (n: number) =>
        `${'!('.repeat(n / 2)}${Array(n / 2)
          .fill('principal.admin')
          .join(' && ')}${')'.repeat(n / 2)}`,
    ],
  ])('just within the limits is evaluated, also by warm code: %s', async (_what, condition) => {
    // The largest that is accepted (an even number, for the last one).
    let size = 48;
    let json: PolicyJson | undefined;
    while (!json && size > 0) {
      json = await parse(when(condition(size))).catch(() => undefined);
      size -= 2;
    }
    expect(size).toBeGreaterThan(36);
    for (const evaluator of [new WasmEvaluator(), new ClosureEvaluator()]) {
      if (json) evaluator.load(new Map([['it', json]]));
      for (let round = 0; round < 300; round += 1) expect(evaluator.decide(request).errors).toEqual([]);
    }
  });

  it('comes back at once after a fault of the parser', async () => {
    const nested = `${'('.repeat(5_000)}true${')'.repeat(5_000)}`;
    await expect(cedar.call('checkParsePolicySet', { staticPolicies: when(nested) })).rejects.toThrow();
    const started = performance.now();
    await cedar.call('checkParsePolicySet', { staticPolicies: when('true') });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('the live evaluator', () => {
  const request: EvaluationRequest = {
    action: actions.teamRead,
    hook: 'before',
    principal: userEntity({ name: 'ada', kind: 'user', admin: true, teams: [] }),
    resource: resourceEntity({ type: 'Team', id: 'acme' }),
    context: {},
  };

  it('denies when a policy cannot be evaluated, whatever the others say', async () => {
    const evaluator = new WasmEvaluator();
    const overflow =
      'forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 == 0 };';
    evaluator.load(
      new Map([
        ['admins', await admins()],
        ['overflow', await parse(overflow)],
      ]),
    );
    const { allowed, errors } = evaluator.decide(request);
    expect(allowed).toBe(false);
    expect(errors).toEqual([{ policy: 'overflow', message: expect.stringContaining('overflow') as string }]);
  });

  it('keeps its set when another one cannot be loaded', async () => {
    const evaluator = new WasmEvaluator();
    evaluator.load(new Map([['admins', await admins()]]));
    const torn = { ...(await admins()), effect: 'perhaps' } as unknown as PolicyJson;
    expect(() => evaluator.load(new Map([['torn', torn]]))).toThrow('cannot be loaded');
    expect(evaluator.decide(request).allowed).toBe(true);
  });

  it('decides by a set in parts as by the whole, and reads only the parts in which anything has changed', async () => {
    const never = (n: number): string =>
      `forbid (principal, action, resource) when { principal.name == "ghost-${n}" };`;
    const { policies } = await compiler.compileSet(
      new Map([
        ['admins', when('principal.admin')],
        ['ada', 'forbid (principal, action, resource) when { principal.name == "ada" };'],
        ...Array.from({ length: 1_200 }, (_, n) => [`never-${n}`, never(n)] as const),
      ]),
    );
    const jsons = new Map([...policies].map(([id, { json }]) => [id, json]));
    const without = new Map([...jsons].filter(([id]) => id !== 'ada'));
    const [evaluator, closures] = [new WasmEvaluator(), new ClosureEvaluator()];
    for (const [set, allowed] of [
      [jsons, false],
      [without, true],
      [jsons, false],
    ] as const) {
      evaluator.load(set);
      closures.load(set);
      expect(evaluator.decide(request)).toMatchObject({ allowed, determining: [allowed ? 'admins' : 'ada'] });
      expect(evaluator.decide(request)).toEqual(closures.decide(request));
    }
    expect(shardsOf(jsons).map(({ size }) => size > 0)).toEqual([true, true, true, true]);
    expect(shardsOf(jsons).filter((part, index) => isSame(part, shardsOf(without)[index]))).toHaveLength(3);
    expect(isSame(jsons, undefined)).toBe(false);
  });

  it('denies without a set', () => {
    expect(new WasmEvaluator().decide(request)).toMatchObject({ allowed: false, errors: [{ policy: null }] });
  });
});
