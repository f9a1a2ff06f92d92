import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ActionPipeline, requireActor } from '@berth/actions';
import { actions, BerthError, pricesSetEvent, type Prices, type SetPrices, PLATFORM } from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { PricesEntity, toMicros, toPrices } from './prices.entity.js';

/** What an hour of it costs. Those of before are kept: what was used then cost that. */
@Injectable()
export class PricesService {
  constructor(
    private readonly pipeline: ActionPipeline,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Throws NOT_FOUND where none were ever set. */
  read(): Promise<Prices> {
    return this.pipeline.read({ action: actions.priceRead, resource: PLATFORM, context: {} }, async () => {
      const [prices] = await this.dataSource.manager.find(PricesEntity, {
        order: { version: 'DESC' },
        take: 1,
      });
      if (prices) return toPrices(prices);
      throw new BerthError('NOT_FOUND', 'No prices are set. An admin sets them: berth price set --help');
    });
  }

  set({ currency, cpu, memory }: SetPrices): Promise<Prices> {
    const context = { currency, cpuMicros: toMicros(cpu), memoryMicros: toMicros(memory) };
    const setBy = requireActor().user;
    return this.pipeline.change(
      { action: actions.priceSet, resource: PLATFORM, context },
      async (transaction) => {
        const row = transaction.create(PricesEntity, { ...context, setBy, setAt: new Date() });
        const result = toPrices(await transaction.save(row));
        return { result, outcome: {}, events: [draftEvent(pricesSetEvent, {}, result)] };
      },
    );
  }
}
