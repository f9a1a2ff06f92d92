import { jumps, outerNameServers, renderChains } from './isolation-rules.js';

const rules = renderChains({ installation: '0badcafe', nameServers: ['10.0.0.53'] }).split('\n');
const of = (chain: string) => rules.filter((rule) => rule.startsWith(`-A BERTH-0badcafe-${chain} `));

describe('the isolation rules', () => {
  it('let answers pass first: published ports work', () => {
    expect(of('FWD')[0]).toMatch(/--ctstate ESTABLISHED,RELATED .* -j RETURN$/);
    expect(of('IN')[0]).toMatch(/--ctstate ESTABLISHED,RELATED .* -j RETURN$/);
  });

  it.each(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10'])(
    'drop %s',
    (range) => {
      expect(of('FWD')).toContainEqual(expect.stringMatching(new RegExp(`-d ${range} .* -j DROP$`)));
    },
  );

  it('let name lookups pass to the resolver, and nothing else of it', () => {
    const toResolver = of('FWD').filter((rule) => rule.includes('10.0.0.53'));
    expect(toResolver).toHaveLength(2);
    expect(toResolver.every((rule) => rule.includes('--dport 53'))).toBe(true);
  });

  it('drop what is left on its way to the host, but not on its way to the internet', () => {
    expect(of('IN').at(-1)).toMatch(/^-A BERTH-0badcafe-IN -m comment --comment berth-0badcafe -j DROP$/);
    expect(of('FWD').at(-1)).toMatch(/-d \S+ .* -j DROP$/);
  });

  it('meet what runs in builds as they meet guests', () => {
    expect(jumps('0badcafe').map(({ parent, rule }) => `${parent} ${rule.split(' ')[1]}`)).toEqual([
      'DOCKER-USER docker_gwbridge',
      'INPUT docker_gwbridge',
      'DOCKER-USER berth-0badcafe',
      'INPUT berth-0badcafe',
    ]);
  });

  it('bear the installation in each rule', () => {
    const ours = [...of('FWD'), ...of('IN'), ...jumps('0badcafe').map((jump) => jump.rule)];
    expect(ours.every((rule) => rule.includes('--comment berth-0badcafe'))).toBe(true);
  });
});

describe('resolvers of the machine', () => {
  it('are those outside: the engine itself asks the ones on loopback', () => {
    const file =
      '# made by hand\nnameserver 127.0.0.53\nnameserver 192.168.1.1\nnameserver fd00::1\nsearch lan\n';
    expect(outerNameServers(file)).toEqual(['192.168.1.1']);
  });
});
