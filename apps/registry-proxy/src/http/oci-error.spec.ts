import { BerthError } from '@berth/contracts';
import { upstreamRateLimited, upstreamUnavailable } from '../upstream/upstream-error.js';
import { asOciError, isDiskFull } from './oci-error.js';

describe('an error as registry clients are told it', () => {
  it.each([
    [new BerthError('UNAUTHENTICATED', 'x'), 401, 'UNAUTHORIZED'],
    [new BerthError('TOKEN_EXPIRED', 'x'), 401, 'UNAUTHORIZED'],
    [new BerthError('POLICY_DENIED', 'x'), 403, 'DENIED'],
    [new BerthError('NOT_FOUND', 'x'), 404, 'NAME_UNKNOWN'],
    [new BerthError('POLICY_UNAVAILABLE', 'x'), 503, 'UNAVAILABLE'],
    [new BerthError('DATABASE_UNAVAILABLE', 'x'), 503, 'UNAVAILABLE'],
    [new BerthError('INTERNAL', 'x'), 500, 'UNKNOWN'],
    [new BerthError('UNMEDIATED', 'x'), 500, 'UNKNOWN'],
    [upstreamUnavailable('docker.io', 'unreachable', 'x'), 503, 'UNAVAILABLE'],
    [upstreamUnavailable('docker.io', 'timeout', 'x'), 504, 'UNAVAILABLE'],
    [upstreamUnavailable('docker.io', 'invalid', 'x'), 502, 'UNAVAILABLE'],
    [upstreamUnavailable('docker.io', 'failed', 'x'), 502, 'UNAVAILABLE'],
    [upstreamUnavailable('docker.io', 'refused', 'x'), 403, 'DENIED'],
    [upstreamRateLimited('docker.io', undefined), 429, 'TOOMANYREQUESTS'],
  ])('%s', (error, status, code) => {
    expect(asOciError(error)).toMatchObject({ status, code });
  });

  it('passes on when to try again', () => {
    expect(asOciError(upstreamRateLimited('docker.io', '30')).headers).toEqual({ 'retry-after': '30' });
  });

  it('has the shape of the spec', () => {
    const policies = [{ id: 'no', message: 'Not this one.' }];
    const body = JSON.parse(
      asOciError(new BerthError('POLICY_DENIED', 'denied', { policies })).toBody(),
    ) as unknown;
    expect(body).toEqual({ errors: [{ code: 'DENIED', message: 'denied', detail: policies }] });
  });

  it('knows a full disk', () => {
    expect(isDiskFull(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe(true);
    expect(isDiskFull(new Error('no space'))).toBe(false);
  });
});
