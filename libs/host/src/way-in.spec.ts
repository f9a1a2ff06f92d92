import { readHostSettings } from './env.js';
import { curlCommand, serviceUrl, wayInAddress } from './way-in.js';

describe('the way to a service', () => {
  const urlWith = (env: Record<string, string>, place?: string): string => {
    const settings = readHostSettings(env);
    return serviceUrl(settings, settings.ports, place);
  };

  it('is its place below the domain, at the port of the way in', () => {
    expect(urlWith({}, 'web.dev.shop')).toBe('http://web.dev.shop.localhost:4490');
    expect(urlWith({ BERTH_DOMAIN: 'example.org', BERTH_INGRESS_TLS: 'acme' }, 'web.dev.shop')).toBe(
      'https://web.dev.shop.example.org:4493',
    );
    expect(urlWith({})).toBe('http://<service>.<environment>.<project>.localhost:4490');
  });

  it('is asked at an address of this machine where the way in has all of them', () => {
    const addresses = ['127.0.0.1', '0.0.0.0', '::', '192.168.7.2'].map((host) =>
      wayInAddress(readHostSettings({ BERTH_INGRESS_HOST: host })),
    );
    expect(addresses).toEqual(['127.0.0.1', '127.0.0.1', '::1', '192.168.7.2']);
  });

  it.each([
    ['http://web.dev.shop.localhost:4490', '127.0.0.1', 'curl http://web.dev.shop.localhost:4490'],
    [
      'http://web.dev.shop.example.org:4490',
      '127.0.0.1',
      'curl --resolve web.dev.shop.example.org:4490:127.0.0.1 http://web.dev.shop.example.org:4490',
    ],
    [
      'https://web.dev.shop.example.org',
      '::1',
      'curl --resolve web.dev.shop.example.org:443:[::1] https://web.dev.shop.example.org',
    ],
    [
      'http://web.dev.shop.localhost:4490',
      '192.168.7.2',
      'curl --resolve web.dev.shop.localhost:4490:192.168.7.2 http://web.dev.shop.localhost:4490',
    ],
  ])('to %s at %s is a command that DNS has no part in', (url, address, command) => {
    expect(curlCommand(url, address)).toBe(command);
  });

  it('is held to the root of its own authority', () => {
    expect(curlCommand('https://web.dev.shop.localhost:4493', '127.0.0.1', '/root.crt')).toBe(
      'curl --cacert /root.crt https://web.dev.shop.localhost:4493',
    );
  });
});
