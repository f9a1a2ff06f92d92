import { BaseEnv, readEnv } from '@berth/runtime';

/** The gateway keeps nothing, so it needs no more than every service does. */
export const GatewayEnv = BaseEnv;
export type GatewayEnv = BaseEnv;

export const gatewayEnv = (): GatewayEnv => readEnv(GatewayEnv);
