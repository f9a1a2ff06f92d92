import { SERVICE_NAMES, type ServiceName } from './service-names.js';

/**
 * Everyone who may connect on every installation. `observer` is for people and other systems that want to listen to events. Those who
 * answer hooks have a user each (`integratorUser`).
 */
export const NATS_USERS = [...SERVICE_NAMES, 'observer'] as const;

export type NatsUser = (typeof NATS_USERS)[number];

export interface NatsPermissions {
  publish: string[];
  subscribe: string[];
}

/** Whom each service may call. Absent: it calls nobody. */
const CALLS: Record<ServiceName, ServiceName[]> = {
  gateway: ['policy', 'scheduler', 'registry-proxy', 'quota', 'audit'],
  scheduler: ['policy', 'quota', 'registry-proxy'],
  'registry-proxy': ['policy', 'quota', 'scheduler'],
  policy: ['quota'],
  quota: ['policy', 'registry-proxy'],
  audit: ['policy'],
};

/** What a service needs beside calls, events and records. */
const EXTRAS: Partial<Record<ServiceName, NatsPermissions>> = {
  gateway: {
    // Idempotency keys of POST requests live in a JetStream key-value bucket.
    publish: [
      'berth.streams.*.alive',
      'berth.streams.*.input',
      '$KV.idempotency.>',
      ...streamApi('KV_idempotency'),
      ...bucketApi('idempotency'),
    ],
    // What goes into a stream is for the scheduler alone.
    subscribe: ['berth.events.>', 'berth.streams.*'],
  },
  scheduler: { publish: ['berth.streams.*'], subscribe: ['berth.streams.*.alive', 'berth.streams.*.input'] },
  // What is removed takes the exceptions made for it along.
  policy: { publish: ['berth.hooks.*', 'berth.pulse.policy', ...consumerApi('EVENTS')], subscribe: [] },
  'registry-proxy': { publish: [], subscribe: ['berth.pulse.policy'] },
  audit: { publish: consumerApi('RECORDS'), subscribe: [] },
};

/**
 * The subjects of a user; everything else is refused by the server. Replies are not in it: a service may answer what
 * it was asked (`allow_responses` in the configuration), and only that, so none can forge another one's answer.
 */
export function natsPermissions(user: NatsUser): NatsPermissions {
  if (user === 'observer') {
    return {
      publish: ['$JS.API.INFO', '$JS.API.STREAM.INFO.EVENTS', '$JS.FC.EVENTS.>', ...consumerApi('EVENTS')],
      // Clients use the prefix _INBOX unless told otherwise; no service listens there.
      subscribe: ['berth.events.>', ...inbox('observer'), '_INBOX.>'],
    };
  }
  const extras = EXTRAS[user] ?? { publish: [], subscribe: [] };
  return {
    publish: [
      ...CALLS[user].map((service) => `berth.rpc.${service}.>`),
      '$JS.API.INFO',
      ...(user === 'gateway' ? [] : factSubjects(user)),
      ...extras.publish,
    ],
    subscribe: [`berth.rpc.${user}.>`, ...inbox(user), ...extras.subscribe],
  };
}

/** Who answers the hook of this name over NATS. */
export type IntegratorUser = `hook-${string}`;

export function integratorUser(hook: string): IntegratorUser {
  return `hook-${hook}`;
}

/** It hears what its hook is asked, and may answer. */
export function integratorPermissions(hook: string): NatsPermissions {
  return { publish: [], subscribe: [`berth.hooks.${hook}`, ...inbox(integratorUser(hook))] };
}

/** The inbox prefix that a user's client has to be given (`inboxPrefix`), for it may not listen elsewhere. */
export function inboxPrefix(user: NatsUser | IntegratorUser): string {
  return `_INBOX_${user}`;
}

function inbox(user: NatsUser | IntegratorUser): string[] {
  return [`${inboxPrefix(user)}.>`];
}

/** Events and audit records, and making the streams that keep them. */
function factSubjects(service: ServiceName): string[] {
  return ['berth.events.>', `berth.records.${service}`, ...streamApi('EVENTS'), ...streamApi('RECORDS')];
}

function streamApi(stream: string): string[] {
  return ['INFO', 'CREATE', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);
}

/** To make consumers, fetch and acknowledge. Not to delete: an observer could end another one's. */
function consumerApi(stream: string): string[] {
  return [
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.ACK.${stream}.>`,
  ];
}

function bucketApi(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.FC.${stream}.>`,
    ...consumerApi(stream),
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
  ];
}
