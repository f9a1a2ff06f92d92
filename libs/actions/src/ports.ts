import { Inject, Injectable } from '@nestjs/common';
import {
  BerthError,
  policyRpc,
  quotaRpc,
  type Decision,
  type DecisionRequest,
  type Reservation,
} from '@berth/contracts';
import type { BrokenLimit } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';

/** Who decides. Over NATS everywhere but in the policy service, which asks itself. */
export interface PolicyPort {
  decide(request: DecisionRequest): Promise<Decision>;
}
/**
 * Who holds the ledger. Over NATS everywhere but in the quota service. What is reserved is committed or released by
 * whoever knows how the action ended, with the change that says so.
 */
export interface QuotaPort {
  reserve(reservation: Reservation): Promise<{ reserved: boolean; limits: BrokenLimit[] }>;
}
export const POLICY_PORT = Symbol('POLICY_PORT');
export const QUOTA_PORT = Symbol('QUOTA_PORT');

/** The two that may say no. */
@Injectable()
export class Gates {
  constructor(
    @Inject(POLICY_PORT) readonly policy: PolicyPort,
    @Inject(QUOTA_PORT) readonly quota: QuotaPort,
  ) {}
}

@Injectable()
export class RemotePolicy implements PolicyPort {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  decide(request: DecisionRequest): Promise<Decision> {
    return failClosed('POLICY_UNAVAILABLE', () => this.rpc.call(policyRpc.decide, request));
  }
}

@Injectable()
export class RemoteQuota implements QuotaPort {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  reserve(reservation: Reservation): Promise<{ reserved: boolean; limits: BrokenLimit[] }> {
    return failClosed('QUOTA_UNAVAILABLE', () => this.rpc.call(quotaRpc.reserve, reservation));
  }
}

/** No answer is a no: whatever went wrong on the way to the one who decides, the action does not happen. */
export async function failClosed<T>(
  code: 'POLICY_UNAVAILABLE' | 'QUOTA_UNAVAILABLE',
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const why = error instanceof BerthError ? error.message : 'it failed';
    const who = code === 'POLICY_UNAVAILABLE' ? 'Policy' : 'Quota';
    throw new BerthError(code, `${who} gave no answer, so nothing was done: ${why}`, {}, { cause: error });
  }
}
