import { actions } from '@berth/contracts';
import { checkRoutes, type Route } from './route.js';

const route = (binding: Partial<Route>): Route => ({
  id: '/v2/x',
  methods: ['GET'],
  pattern: /x/,
  ...binding,
});

describe('complete mediation of the registry', () => {
  it('lets routes pass that perform an action, or are public with a reason', () => {
    expect(() =>
      checkRoutes([route({ performs: actions.imagePull }), route({ publicReason: 'because' })]),
    ).not.toThrow();
  });

  it.each([[{}], [{ publicReason: ' ' }], [{ performs: { name: 'image.unheard-of' } }]])(
    'refuses %j',
    (binding) => {
      expect(() => checkRoutes([route(binding)])).toThrow('GET /v2/x');
    },
  );
});
