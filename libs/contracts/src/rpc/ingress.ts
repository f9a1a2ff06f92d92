import { z } from 'zod';
import { Ingress } from '../ingress.js';
import { defineRpc } from './define.js';

export const ingressRpc = {
  /** Asks it now. */
  read: defineRpc('scheduler', 'ingress.read', z.strictObject({}), Ingress, 10_000),
};
