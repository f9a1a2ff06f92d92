import { pinImages, readCompose } from '../compose/index.js';
import { hostsOf, refuseHostsBelow, routesOf, type Place } from './hosts.js';

function place(services: string, environment = 'dev'): Place {
  const { spec } = readCompose(`services: { ${services} }`, {});
  const image = { repository: 'docker.io/library/a', digest: `sha256:${'1'.repeat(64)}` };
  const images = new Map(Object.keys(spec.services).map((name) => [name, image]));
  return { project: 'shop', environment, spec: pinImages(spec, images) };
}

const web = (name: string, port: number, ...hosts: string[]) =>
  `${name}: { image: a, x-berth: { http: ${port}, hosts: [${hosts.join(', ')}] } }`;

describe('routes', () => {
  it('lead to what runs, and to what is rolled out, whose ports count', () => {
    const routes = routesOf([place(web('web', 80, 'a.org')), place(web('web', 81, 'b.org'))]);
    const at = { project: 'shop', environment: 'dev', service: 'web', protocol: 'http' };
    expect(routes).toEqual([{ ...at, port: 81, hosts: ['a.org', 'b.org'] }]);
    expect(hostsOf(routes[0], 'localhost')).toEqual(['web.dev.shop.localhost', 'a.org', 'b.org']);
  });

  it('leave a name with the service that has it, until the other has taken over', () => {
    const before = place(`${web('blue', 80, 'a.org')}, ${web('green', 80)}`);
    const after = place(`${web('blue', 80)}, ${web('green', 80, 'a.org')}`);
    const hosts = (...places: Place[]) =>
      Object.fromEntries(routesOf(places).map((route) => [route.service, route.hosts]));
    expect(hosts(before, after)).toEqual({ blue: ['a.org'], green: [] });
    expect(hosts(after)).toEqual({ blue: [], green: ['a.org'] });
  });
});

describe('host names', () => {
  it.each(['berth.example', 'a.berth.example', 'web.prod.shop.berth.example'])('are not %s', (host) => {
    const { spec } = place(web('web', 80, 'fine.example', host));
    expect(() => refuseHostsBelow('berth.example', spec)).toThrow(
      expect.objectContaining({ code: 'COMPOSE_INVALID', message: expect.stringContaining(`"${host}"`) }),
    );
  });

  it('may end in the same letters', () => {
    const { spec } = place(web('web', 80, 'noberth.example'));
    expect(() => refuseHostsBelow('berth.example', spec)).not.toThrow();
  });
});
