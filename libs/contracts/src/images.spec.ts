import { runsAs } from './images.js';

describe('the user of an image or a container', () => {
  it.each(['', '0', '00', '+0', '-0', '0:1000', 'root', 'root:root', ':staff'])('is root as "%s"', (user) =>
    expect(runsAs(user)).toBe('root'),
  );

  it.each(['app', '1000', '1000:0', '10', 'root2'])('is another as "%s"', (user) =>
    expect(runsAs(user)).toBe(user),
  );
});
