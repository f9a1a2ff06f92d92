import { docker } from '@berth/testing';
import { engineBench, scriptImage, shopDev, type EngineBench } from './engine-bench.js';

jest.setTimeout(60_000);

/** Of each: what may be done there, and what became of writing as the user of the instance. */
const LOOK =
  'for place in "$@"; do echo "$place $(ls -ldn $place | cut -c 1-10)"; echo x > $place/x && echo written; done';

describe('a tmpfs', () => {
  let bench: EngineBench;
  afterAll(() => bench?.clean());

  it('is as it was asked for, and can be written by a user that is not root unless it was asked not to be', async () => {
    bench = await engineBench();
    const images = { idle: await scriptImage('idle', 'exec sleep 1000') };
    const compose = `
services:
  app:
    image: idle
    user: '1234:1234'
    read_only: true
    tmpfs: ['/tmp', '/run:mode=1777', '/private:mode=700,size=1m', '/shared:mode=0777']
    volumes: [{ type: tmpfs, target: /long, tmpfs: { size: 1m, mode: 0o1777 } }]
`;
    const { outcome } = await bench.run(bench.rollout(compose, images));
    expect(outcome).toEqual({ state: 'running' });
    const label = `label=berth.installation=${bench.installation}`;
    const id = (await docker(bench.dockerHost, 'ps', '--quiet', '--filter', label)).trim();
    const places = ['/tmp', '/run', '/shared', '/long', '/private'];
    const said = await docker(
      bench.dockerHost,
      'exec',
      id,
      'sh',
      '-c',
      `{ ${LOOK}; } 2>&1 || true`,
      'look',
      ...places,
    );
    expect(said.trim().split('\n')).toEqual([
      ...['/tmp drwxrwxrwt', 'written', '/run drwxrwxrwt', 'written'],
      ...['/shared drwxrwxrwx', 'written', '/long drwxrwxrwt', 'written'],
      ...['/private drwx------', expect.stringContaining('Permission denied')],
    ]);
    expect((await bench.engine.services(shopDev))[0].instances).toHaveLength(1);
  });
});
