import { Controller } from '@nestjs/common';
import { Performs } from '@berth/actions';
import { actions, quotaRpc, type Prices, type SetPrices } from '@berth/contracts';
import { Handles } from '@berth/messaging';
import { PricesService } from './prices.js';

@Controller()
export class PricesController {
  constructor(private readonly prices: PricesService) {}

  @Handles(quotaRpc.readPrices)
  @Performs(actions.priceRead)
  read(): Promise<Prices> {
    return this.prices.read();
  }

  @Handles(quotaRpc.setPrices)
  @Performs(actions.priceSet)
  set(request: SetPrices): Promise<Prices> {
    return this.prices.set(request);
  }
}
