import { addressNumber, readSubnet } from './swarm-guest-places.js';

describe('an address', () => {
  it.each([
    ['0.0.0.0', 0],
    ['10.0.3.7', 167_772_935],
    ['255.255.255.255', 4_294_967_295],
  ])('%s is the number %d', (text, number) => {
    expect(addressNumber(text)).toBe(number);
  });

  it.each([
    '',
    '10.0.3',
    '10.0.3.256',
    '010.0.3.7',
    '10.0.3.7.1',
    '10.0.3.7, 10.0.4.7',
    '::ffff:10.0.3.7',
    '-1.0.0.0',
  ])('is not %p', (text) => {
    expect(addressNumber(text)).toBeNull();
  });
});

describe('a subnet', () => {
  it('has a first address and a size', () => {
    expect(readSubnet('10.0.3.0/24')).toEqual({ first: addressNumber('10.0.3.0'), size: 256 });
    expect(readSubnet('10.0.3.9/24')).toEqual(readSubnet('10.0.3.0/24'));
  });

  it.each(['', '10.0.3.0', '10.0.3.0/', '10.0.3.0/33', '10.0.3.0/24/1', 'fd00::/64'])('is not %p', (text) => {
    expect(readSubnet(text)).toBeNull();
  });
});
