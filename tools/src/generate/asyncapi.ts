import { CloudEvent, eventCatalog, eventSubject, type EventDefinition } from '@berth/contracts';
import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

const DESCRIPTION = `What happened on Berth, told over NATS: CloudEvents 1.0 as JSON. Each event has a subject of its own, so a
subscriber can be given just its team's: \`berth.events.acme.>\`. They are kept for a week in the JetStream stream
\`EVENTS\`. An event may come twice: its \`id\` tells. Within a version fields are only added.`;

const LEVELS = {
  team: { description: 'The team; `_` where none applies' },
  project: { description: 'The project; `_` where none applies' },
  environment: { description: 'The environment; `_` where none applies' },
};

/** The event catalog as an AsyncAPI 3.0 document. */
export function buildAsyncApi(): JsonSchema {
  const events = [...eventCatalog.values()].sort((left, right) => (left.type < right.type ? -1 : 1));
  const schemas: Record<string, JsonSchema> = {};
  return {
    asyncapi: '3.0.0',
    info: { title: 'Berth events', version: '1', description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '127.0.0.1:4410',
        protocol: 'nats',
        description: 'As "berth up" starts it, on the same machine',
        security: [{ $ref: '#/components/securitySchemes/credentials' }],
      },
    },
    channels: Object.fromEntries(events.map((event) => [event.type, channelOf(event)])),
    operations: Object.fromEntries(
      events.map(({ type, summary }) => [
        type,
        { action: 'send', summary, channel: { $ref: `#/channels/${type}` } },
      ]),
    ),
    components: {
      messages: Object.fromEntries(events.map((event) => [event.type, messageOf(event, schemas)])),
      schemas: Object.fromEntries(Object.entries(schemas).sort(([left], [right]) => (left < right ? -1 : 1))),
      securitySchemes: { credentials: { type: 'userPassword' } },
    },
  };
}

function channelOf({ type, summary }: EventDefinition): JsonSchema {
  return {
    address: eventSubject(type, { team: '{team}', project: '{project}', environment: '{environment}' }),
    summary,
    parameters: LEVELS,
    messages: { event: { $ref: `#/components/messages/${type}` } },
  };
}

function messageOf(
  { type, summary, data }: EventDefinition,
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const envelope = CloudEvent.extend({ type: z.literal(type), data });
  return { name: type, summary, payload: convert(envelope, schemas) };
}

/** As JSON Schema 2020-12; schemas that have an id are put among `schemas` and referred to. */
function convert(schema: z.ZodType, schemas: Record<string, JsonSchema>): JsonSchema {
  const converted = z.toJSONSchema(schema, { io: 'output', override: ({ jsonSchema }) => open(jsonSchema) });
  const {
    $schema: _dialect,
    $defs = {},
    ...rest
  } = converted as JsonSchema & { $defs?: Record<string, JsonSchema> };
  for (const [name, { id: _id, ...definition }] of Object.entries($defs)) schemas[name] = relink(definition);
  return relink(rest);
}

function relink<T extends JsonSchema>(schema: T): T {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as T;
}

/** Subscribers are tolerant, for events may gain fields; and a format says it without its expression. */
function open(schema: JsonSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.format === 'date-time' || schema.format === 'uuid') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}
