import { toLimits, toQuota } from './quota-shape.js';

describe('a quota', () => {
  it('is taken as people write it', () => {
    expect(toLimits({ limits: { cpu: 1.5, memory: '8GiB', instances: 5 } })).toEqual({
      cpuMillis: 1_500,
      memoryBytes: 8 * 1024 ** 3,
      instances: 5,
      storageBytes: null,
    });
    expect(toLimits({ limits: { memory: 1_000, storage: '1GiB' } })).toEqual({
      cpuMillis: null,
      memoryBytes: 1_000,
      instances: null,
      storageBytes: 1024 ** 3,
    });
  });

  it.each(['lots', '8 GiBs', '-1GiB'])('is refused with the size %j', (memory) => {
    expect(() => toLimits({ limits: { memory } })).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        extensions: { fields: [expect.objectContaining({ path: 'limits.memory' })] },
      }),
    );
  });

  it('is shown as people write it, without the limits that there are not', () => {
    expect(
      toQuota({
        ...{ scope: 'teams', name: 'acme', cpu_limit: '2500', memory_limit: null, instances_limit: '0' },
        ...{ storage_limit: '5368709120' },
        ...{ cpu_used: '250', memory_used: '1610612736', instances_used: '3' },
        ...{ currency: 'EUR', cost_micros: '11000' },
      }),
    ).toEqual({
      scope: 'teams',
      name: 'acme',
      limits: { cpu: 2.5, instances: 0, storage: '5GiB' },
      used: { cpu: 0.25, memory: '1.5GiB', instances: 3 },
      cost: { currency: 'EUR', perHour: 0.011, perMonth: 8.03 },
    });
  });
});
