import { interpolate, InterpolationError } from './interpolate.js';

const variables = { SET: 'value', EMPTY: '', OTHER: 'o' };
const text = (source: string): string => interpolate(source, variables).text;

describe('interpolation', () => {
  it.each([
    ['plain', 'plain'],
    ['$SET', 'value'],
    ['$SET-x', 'value-x'],
    ['${SET}x', 'valuex'],
    ['$$SET', '$SET'],
    ['$${SET}', '${SET}'],
    ['a$$', 'a$'],
    ['${UNSET}', ''],
    ['${SET:-d}', 'value'],
    ['${EMPTY:-d}', 'd'],
    ['${UNSET:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${UNSET-d}', 'd'],
    ['${UNSET:-}', ''],
    ['${SET:+r}', 'r'],
    ['${EMPTY:+r}', ''],
    ['${UNSET:+r}', ''],
    ['${EMPTY+r}', 'r'],
    ['${UNSET+r}', ''],
    ['${SET:?no}', 'value'],
    ['${EMPTY?no}', ''],
    ['${UNSET:-${OTHER}}', 'o'],
    ['${UNSET:-${ALSO:-$SET}!}', 'value!'],
    ['${UNSET:-a:b-c?d+e}', 'a:b-c?d+e'],
    ['${SET:-${MISSING:?never asked}}', 'value'],
    ['${SET:+${OTHER}}', 'o'],
    ['http://${UNSET:-host}:${UNSET:-80}/', 'http://host:80/'],
  ])('reads %s as %s', (source, expected) => {
    expect(text(source)).toBe(expected);
  });

  it('names the variables that are not set and have no default', () => {
    expect(interpolate('$A ${B} ${C:-c} ${SET:-$D}', variables).unset).toEqual(['A', 'B']);
  });

  it.each([
    ['${UNSET:?set it}', 'UNSET is required: set it'],
    ['${EMPTY:?set it}', 'EMPTY is required: set it'],
    ['${UNSET?}', 'UNSET is required'],
    ['${SET', 'not closed'],
    ['${SET:-a', 'not closed'],
    ['${SET:x}', 'unknown operator'],
    ['${}', 'followed by the name'],
    ['${1}', 'followed by the name'],
    ['$1', 'no name'],
    ['$', 'no name'],
    ['cost: $ 5', 'no name'],
  ])('turns away %s', (source, message) => {
    expect(() => text(source)).toThrow(InterpolationError);
    expect(() => text(source)).toThrow(message);
  });
});
