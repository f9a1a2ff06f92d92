import { z } from 'zod';
import { Name } from '../names.js';
import { page, PageRequest } from '../pages.js';
import { ChangedSecret, Secret, SecretName, SecretValue } from '../secrets.js';
import { defineRpc } from './define.js';

const inEnvironment = z.strictObject({ project: Name, environment: Name });
const named = inEnvironment.extend({ name: SecretName });

export const secretRpc = {
  set: defineRpc('scheduler', 'secret.set', named.extend({ value: SecretValue }), ChangedSecret, 60_000),
  remove: defineRpc('scheduler', 'secret.remove', named, z.object({})),
  list: defineRpc('scheduler', 'secret.list', PageRequest.extend(inEnvironment.shape), page(Secret)),
};
