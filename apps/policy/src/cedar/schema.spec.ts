import { actions, catalog, type ActionDefinition } from '@berth/contracts';
import { z } from 'zod';
import { recordShape } from './facts-type.js';
import { openCedar } from '@berth/cedar';
import { cedarSchema, PERMISSIONS } from './schema.js';

const cedar = openCedar();
const schema = cedarSchema();
const errorsOf = (text: string): string[] => {
  const answer = cedar.validate({ schema, policies: { staticPolicies: { it: text } } });
  if (answer.type === 'failure') return answer.errors.map(({ message }) => message);
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error.message);
};

describe('the schema', () => {
  it('is one that Cedar reads', () => {
    expect(cedar.checkParseSchema(schema)).toEqual({ type: 'success' });
  });

  it('has a group per action and permission, and one Cedar action per hook', () => {
    const expected = [...catalog.values()].flatMap(({ name, hooks }) => [
      name,
      ...hooks.map((hook) => `${name}.${hook}`),
    ]);
    expect(Object.keys(schema.Berth.actions).sort()).toEqual([...expected, ...PERMISSIONS].sort());
  });

  it.each([...catalog.values()])('lets a policy speak of all facts of $name', (action: ActionDefinition) => {
    for (const hook of action.hooks) {
      const facts = Object.entries(hook === 'before' ? action.context.shape : action.outcome.shape);
      const conditions = facts.map(([name, type]) =>
        type instanceof z.ZodOptional
          ? `(if context has ${name} then context.${name} == context.${name} else true)`
          : `context.${name} == context.${name}`,
      );
      const text = `permit (principal, action == Berth::Action::"${action.name}.${hook}", resource) when { ${conditions.join(' && ') || 'principal.admin'} };`;
      expect(errorsOf(text)).toEqual([]);
    }
  });

  it('knows no fact that the catalog does not', () => {
    const text =
      'permit (principal, action == Berth::Action::"deployment.create.before", resource) when { context.privileged };';
    expect(errorsOf(text)).toEqual([expect.stringContaining('privileged')]);
  });

  it('types the facts', () => {
    const text =
      'permit (principal, action == Berth::Action::"deployment.create.before", resource) when { context.instances == "3" };';
    expect(errorsOf(text)).not.toEqual([]);
  });

  it('lets a policy speak of roles, teams and where a resource stands', () => {
    const text = `permit (principal in Berth::Team::"acme", action in Berth::Action::"deployment.create", resource in Berth::Project::"shop")
      when { resource.environment == "dev" && resource.project == "shop" && principal.maintainerOf.contains(resource.team) && principal.kind == "user" };`;
    expect(errorsOf(text)).toEqual([]);
  });

  it('gives an image a team only sometimes', () => {
    const scope = 'principal, action in Berth::Action::"image.pull", resource';
    expect(errorsOf(`permit (${scope}) when { resource.team in Berth::Team::"acme" };`)).not.toEqual([]);
    expect(
      errorsOf(`permit (${scope}) when { resource has team && resource.team in Berth::Team::"acme" };`),
    ).toEqual([]);
  });
});

describe('facts', () => {
  it('become Cedar types', () => {
    const facts = z.object({
      text: z.string(),
      choice: z.enum(['a', 'b']),
      flag: z.boolean(),
      count: z.int().optional(),
      list: z.array(z.object({ port: z.int() })),
    });
    expect(recordShape(facts, 'x')).toEqual({
      text: { type: 'String' },
      choice: { type: 'String' },
      flag: { type: 'Boolean' },
      count: { type: 'Long', required: false },
      list: { type: 'Set', element: { type: 'Record', attributes: { port: { type: 'Long' } } } },
    });
  });

  it.each([
    ['a float', z.object({ load: z.number() }), 'x.load'],
    ['null', z.object({ who: z.string().nullable() }), 'x.who'],
    ['a map', z.object({ in: z.object({ env: z.record(z.string(), z.string()) }) }), 'x.in.env'],
  ])('that Cedar has no type for are refused, with their path: %s', (_what, facts, path) => {
    expect(() => recordShape(facts, 'x')).toThrow(path);
  });

  it('of every action fit', () => {
    expect(catalog.size).toBe(Object.keys(actions).length);
  });
});
