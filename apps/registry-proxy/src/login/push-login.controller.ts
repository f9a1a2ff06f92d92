import { Controller } from '@nestjs/common';
import { Public, requireActor } from '@berth/actions';
import { actions, BerthError, registryRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import type { z } from 'zod';
import { Access, scopeFor } from './access.js';
import { ClientTokens } from './client-tokens.js';

const WHY =
  'asked by the scheduler, which NATS lets ask here, for an image that policy let it build; each request with the token is an action of the one it builds for';

/** What an engine pushes with: as whoever asked for the build, to one repository, for an hour. */
@Controller()
@Public(WHY)
export class PushLoginController {
  constructor(private readonly tokens: ClientTokens) {}

  @Handles(registryRpc.pushLogin)
  login({
    repository,
  }: z.infer<typeof registryRpc.pushLogin.request>): Promise<z.infer<typeof registryRpc.pushLogin.response>> {
    const { user, tokenId } = requireActor();
    const [team] = repository.split('/');
    if (!this.tokens.available)
      throw new BerthError(
        'SERVICE_UNAVAILABLE',
        'The registry has no key (REGISTRY_KEY), and without one nothing can be built.',
      );
    const access = Access.ofScopes([scopeFor(repository, actions.imagePush)]);
    const token = this.tokens.issue({ token: null, pusher: { user, tokenId, team }, access });
    return Promise.resolve({ token });
  }
}
