import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, Ingress, ingressRpc } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

@ApiTags('Services')
@Controller('v1/ingress')
export class IngressController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.ingressRead, {
    answer: Ingress,
    description: 'The way in is asked at that moment. Where a service answers is the `url` of the service.',
  })
  read(): Promise<Ingress> {
    return this.rpc.call(ingressRpc.read, {});
  }
}
