import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actions, Prices, quotaRpc, SetPrices } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { Operation } from '../http/operation.js';

@ApiTags('Quotas')
@Controller('v1/prices')
export class PricesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.priceRead, { answer: Prices, errors: ['NOT_FOUND'] })
  read(): Promise<Prices> {
    return this.rpc.call(quotaRpc.readPrices, {});
  }

  @Put()
  @Operation(actions.priceSet, {
    answer: Prices,
    description: 'From then on each quota says what it costs, as the `cost` of what is used of it.',
  })
  set(@Body({ schema: SetPrices }) body: SetPrices): Promise<Prices> {
    return this.rpc.call(quotaRpc.setPrices, body);
  }
}
