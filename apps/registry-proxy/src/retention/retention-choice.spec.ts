import { chooseWhatGoes, type HeldImage, type HeldTag, type Rule } from './retention-choice.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY = 86_400;
const daysAgo = (days: number): Date => new Date(NOW - days * DAY * 1_000);
const digest = (name: string): string => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;

const image = (name: string, days: number, rest: Partial<HeldImage> = {}): HeldImage => ({
  ...{ digest: digest(name), subject: null, storedAt: daysAgo(days), pulledAt: daysAgo(days), lists: [] },
  ...rest,
});
const tag = (name: string, days: number, of = name): HeldTag => ({
  ...{ name, digest: digest(of), setAt: daysAgo(days) },
});
const rule = (rest: Partial<Rule>): Rule => ({ keepLast: null, olderThanSeconds: null, tags: '*', ...rest });

const goes = (
  tags: HeldTag[],
  images: HeldImage[],
  by: Rule,
  inUse: string[] = [],
): { tags: string[]; images: string[] } => {
  const { tags: gone, images: lost } = chooseWhatGoes({ tags, images }, by, new Set(inUse.map(digest)), NOW);
  const names = new Map(images.map((each) => [each.digest, each.digest]));
  for (const name of 'abcdefghij') names.set(digest(name), name);
  return { tags: gone.map(({ name }) => name).sort(), images: lost.map((each) => names.get(each) ?? each) };
};

const four = {
  tags: [tag('a', 40), tag('b', 30), tag('c', 20), tag('d', 10)],
  images: [image('a', 40), image('b', 30), image('c', 20), image('d', 10)],
};

describe('a retention rule', () => {
  it.each<[string, Partial<Rule>, string[]]>([
    ['keeps the last', { keepLast: 2 }, ['a', 'b']],
    ['keeps what is younger', { olderThanSeconds: 25 * DAY }, ['a', 'b']],
    ['takes what is neither of the last nor younger', { keepLast: 1, olderThanSeconds: 35 * DAY }, ['a']],
    ['keeps all where there are no more', { keepLast: 4 }, []],
    ['is about some tags only', { keepLast: 1, tags: 'a*' }, []],
  ])('%s', (_name, by, gone) => {
    expect(goes(four.tags, four.images, rule(by))).toEqual({ tags: gone, images: gone });
  });

  it('counts only the tags that it is about', () => {
    const tags = [tag('v1.0', 40, 'a'), tag('v1x0', 30, 'b'), tag('latest', 20, 'c'), tag('v1.1', 10, 'd')];
    expect(goes(tags, four.images, rule({ keepLast: 1, tags: 'v1.*' }))).toEqual({
      tags: ['v1.0'],
      images: ['a'],
    });
  });

  it.each<[string, string[]]>([
    ['*', ['a-1-b', 'ab', 'ba', 'pr-12']],
    ['pr-*', ['pr-12']],
    ['a*b', ['a-1-b', 'ab']],
    ['*b*a*', ['ba']],
    ['a', []],
    ['ab*b', []],
    [`${'*a'.repeat(60)}*`, []],
  ])('about %s is about those', (tags, gone) => {
    const names = ['a-1-b', 'ab', 'ba', 'pr-12'];
    const held = names.map((name) => tag(name, 40, 'a'));
    expect(goes(held, [image('a', 40)], rule({ olderThanSeconds: DAY, tags })).tags).toEqual(gone);
  });

  it('keeps an image that another tag names', () => {
    const tags = [...four.tags, tag('stable', 5, 'a')];
    expect(goes(tags, four.images, rule({ keepLast: 2 }))).toEqual({
      tags: ['a', 'b', 'c'],
      images: ['b', 'c'],
    });
  });

  it('never takes what is in use, nor what was pulled a moment ago', () => {
    const images = four.images.map((each) =>
      each.digest === digest('b') ? { ...each, pulledAt: new Date(NOW - 60_000) } : each,
    );
    expect(goes(four.tags, images, rule({ keepLast: 1 }), ['a'])).toEqual({ tags: ['c'], images: ['c'] });
  });

  it('takes an index before what it lists, and nothing that a staying index lists', () => {
    const images = [
      ...[image('a', 40), image('b', 40), image('c', 40)],
      ...[
        image('i', 40, { lists: [digest('a'), digest('b')] }),
        image('j', 40, { lists: [digest('b'), digest('c')] }),
      ],
    ];
    const tags = [tag('old', 40, 'i'), tag('new', 10, 'j')];
    expect(goes(tags, images, rule({ keepLast: 1 }))).toEqual({ tags: ['old'], images: ['i', 'a'] });
    // A platform of it runs: the index stays for that too, as it is what a node was told to pull.
    expect(goes(tags, images, rule({ keepLast: 1 }), ['i'])).toEqual({ tags: [], images: [] });
  });

  it('lets what is about an image go with it, and stay with it', () => {
    const signature = `${digest('a').replace(':', '-')}.sig`;
    const images = [
      ...[image('a', 40), image('b', 30)],
      ...[image('c', 40), image('d', 40, { subject: digest('a') }), image('e', 30, { subject: digest('b') })],
    ];
    const tags = [tag('a', 40), tag('b', 30), tag(signature, 39, 'c')];
    const { tags: gone, images: lost } = goes(tags, images, rule({ keepLast: 1 }));
    expect(gone).toEqual(['a', signature].sort());
    expect(lost.sort()).toEqual(['a', 'c', 'd']);
    expect(goes(tags, images, rule({ keepLast: 2 }))).toEqual({ tags: [], images: [] });
  });

  it('takes what no tag names once it is old', () => {
    const images = [image('a', 40), image('b', 0.5)];
    expect(goes([], images, rule({ keepLast: 5 }))).toEqual({ tags: [], images: ['a'] });
    expect(goes([], images, rule({ olderThanSeconds: 50 * DAY }))).toEqual({ tags: [], images: [] });
  });
});
