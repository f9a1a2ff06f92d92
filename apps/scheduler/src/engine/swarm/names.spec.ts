import { networkName, serviceName, servicePrefix, volumeName } from './names.js';

const dev = { project: 'shop', environment: 'dev' };

describe('names in the swarm', () => {
  it('say what they are', () => {
    expect(serviceName('main', dev, 'web', '0123abcd')).toBe('main-shop-dev-web-0123abcd');
    expect(networkName('main', dev)).toBe('berth-main-shop-dev');
    expect(volumeName('main', dev, 'data')).toBe('berth_main_shop_dev_data');
  });

  it('never meet, however the parts are cut', () => {
    const places = [
      { project: 'a-b', environment: 'c' },
      { project: 'a', environment: 'b-c' },
      { project: 'a', environment: 'b' },
    ];
    expect(new Set(places.map((place) => networkName('main', place))).size).toBe(3);
    expect(serviceName('main', places[2], 'c-d', '1')).not.toBe(serviceName('main', places[0], 'd', '1'));
    expect(new Set(places.map((place) => volumeName('main', place, 'd'))).size).toBe(3);
  });

  it.each([
    [dev, 'web'],
    [{ project: 'a-b', environment: 'c' }, 's'.repeat(63)],
    [{ project: 'p'.repeat(63), environment: 'e'.repeat(63) }, 'web'],
    [{ project: 'p'.repeat(34), environment: 'e' }, 'w'],
  ])('begin with what the engine is asked by', (place, service) => {
    const name = serviceName('main', place, service, '0123abcd');
    expect(name.startsWith(servicePrefix('main', place))).toBe(true);
  });

  it('fit into what swarm takes', () => {
    const long = { project: 'p'.repeat(63), environment: 'e'.repeat(63) };
    const names = ['a', 'b'].map((last) => serviceName('main', long, 's'.repeat(62) + last, '0123abcd'));
    for (const name of names) expect(name).toMatch(/^[a-z0-9](?:-*[a-z0-9]+)*$/);
    expect(names[0].length).toBeLessThanOrEqual(63);
    expect(names[0]).not.toBe(names[1]);
  });
});
