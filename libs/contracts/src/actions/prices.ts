import { z } from 'zod';
import { defineAction } from './define.js';
import { change, read } from './kinds.js';

/** What it costs. */
const prices = { owner: 'quota', resource: ['Platform'] } as const;
export const priceRead = defineAction({
  name: 'price.read',
  summary: 'See the prices',
  ...read,
  ...prices,
  permission: 'anyone',
});
export const priceSet = defineAction({
  name: 'price.set',
  summary: 'Set the prices',
  ...change,
  ...prices,
  permission: 'administer',
  context: z.object({ currency: z.string(), cpuMicros: z.int(), memoryMicros: z.int() }),
});
