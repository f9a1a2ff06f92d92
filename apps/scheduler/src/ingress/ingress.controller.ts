import { Controller } from '@nestjs/common';
import { Performs } from '@berth/actions';
import { actions, ingressRpc, type Ingress } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { IngressStatus } from './ingress-status.js';

@Controller()
export class IngressController {
  constructor(private readonly status: IngressStatus) {}

  @Handles(ingressRpc.read)
  @Performs(actions.ingressRead)
  read(): Promise<Ingress> {
    return this.status.read();
  }
}
