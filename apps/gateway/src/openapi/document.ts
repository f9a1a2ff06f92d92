import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { CONTEXT_MEDIA_TYPE, ERRORS, type ErrorCode } from '@berth/contracts';
import { API_PREFIX } from '../http/door.js';
import { EXAMPLES } from './examples.js';
import { convertSchema } from './schemas.js';

const DESCRIPTION = `The REST interface of Berth. Names stand in paths; lists are \`{ items, nextCursor }\`; errors are
RFC 9457 problems with a stable \`code\` and the correlation id that is also in the \`X-Correlation-Id\` header.

Each operation is bound to an action (\`x-berth-action\`) that policy is asked about, quota covers where it consumes, and
the audit log records, whichever door it comes in by.`;

const IDEMPOTENCY_ERRORS: readonly ErrorCode[] = ['IDEMPOTENCY_IN_FLIGHT', 'IDEMPOTENCY_MISMATCH'];
const BODY_ERRORS: readonly ErrorCode[] = ['BODY_INVALID', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'];
/** In the order in which a newcomer needs them. */
const TAGS = {
  Identity: 'Who there is: users, tokens, teams and their members',
  Projects: 'Products of a team',
  Environments: 'Where a project runs, with its variables',
  Secrets: 'What services of an environment are given, and nobody is shown',
  Deployments: 'What was and is rolled out',
  Services: 'What services write, and where requests to them come in',
  Certificates: 'Those that were brought for host names',
  Images: 'What the registry stores',
  Nodes: 'The machines',
  Policies: 'The rules, in Cedar',
  Quotas: 'Limits, and what is used of them',
  Audit: 'Who did what, who allowed it, and how it ended',
};
const METHODS = ['get', 'post', 'put', 'delete'] as const;

interface Media {
  schema?: { $ref?: string; properties?: { items?: { items?: { $ref?: string } } } };
  example?: unknown;
}
interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, Media>;
}
interface Operation {
  parameters?: object[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Answer>;
}

/** The OpenAPI 3.1 document of the application's routes under `/v1`. */
export function buildOpenApi(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Berth')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer' }, 'token')
    .addSecurityRequirements('token');
  for (const [tag, description] of Object.entries(TAGS)) builder.addTag(tag, description);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (controller, method) => `${family(controller)}.${method}`,
    standardSchemaConverter: convertSchema,
  });
  document.paths = Object.fromEntries(
    Object.entries(document.paths)
      .filter(([path]) => path.startsWith(`${API_PREFIX}/`))
      .sort(([left], [right]) => left.localeCompare(right)),
  );
  document.components ??= {};
  document.components.schemas = sorted(document.components.schemas ?? {});
  const failures = new Failures();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation) complete(operation, method, path, failures);
    }
  }
  document.components.responses = sorted(failures.responses) as typeof document.components.responses;
  return document;
}

/** Answers of failure, each once among the components: most operations share them. */
class Failures {
  readonly responses: Record<string, Answer> = {};

  /** A reference to the answer that tells of these codes, named after the first of them. */
  refer(description: string): Answer {
    const code = /`([A-Z_]+)`/.exec(description)?.[1] as ErrorCode;
    for (let count = 1; ; count++) {
      const name = count === 1 ? code : `${code}_${count}`;
      this.responses[name] ??= {
        description,
        content: { 'application/problem+json': problemOf(code) },
      };
      if (this.responses[name].description === description) return { $ref: `#/components/responses/${name}` };
    }
  }
}

function family(controller: string): string {
  const name = controller.replace(/Controller$/, '');
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** What is true of all operations of a kind, so that no route has to say it. */
function complete(operation: Operation, method: string, path: string, failures: Failures): void {
  if (operation.requestBody) addErrors(operation, BODY_ERRORS);
  // What is streamed in is done once for each request.
  if (method === 'post' && !operation.requestBody?.content[CONTEXT_MEDIA_TYPE]) {
    addErrors(operation, IDEMPOTENCY_ERRORS);
    (operation.parameters ??= []).push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: 'The same key and body within a day get the same answer, and it is done once',
      schema: { type: 'string', maxLength: 255 },
    });
  }
  if (path.endsWith('/logs')) addEventStream(operation);
  for (const media of Object.values(operation.requestBody?.content ?? {})) addExample(media);
  for (const [status, { description = '', content = {} }] of Object.entries(operation.responses)) {
    if (Number(status) >= 400) operation.responses[status] = failures.refer(description);
    else for (const media of Object.values(content)) addExample(media);
  }
  operation.responses = sorted(operation.responses);
}

function addErrors(operation: Operation, codes: readonly ErrorCode[]): void {
  for (const code of codes) {
    const [status, title] = ERRORS[code];
    const told = `\`${code}\`: ${title}`;
    const { description } = operation.responses[status] ?? {};
    operation.responses[status] = { description: description ? `${description}. ${told}` : told };
  }
}

function problemOf(code: ErrorCode): Media {
  const [status, title] = ERRORS[code];
  const base = EXAMPLES.Problem as { correlationId: string };
  return {
    schema: { $ref: '#/components/schemas/Problem' },
    example: {
      type: `urn:berth:error:${code}`,
      title,
      status,
      detail: DETAILS[code] ?? `${title}.`,
      code,
      ...(EXTENSIONS[code] ?? {}),
      correlationId: base.correlationId,
    },
  };
}

const DETAILS: Partial<Record<ErrorCode, string>> = {
  VALIDATION_FAILED: 'The request is not valid. Unrecognized key: "colour"',
  POLICY_DENIED:
    'Policy denies deployment.create on Environment "shop.dev". no-latest: Use a tag other than latest.',
  NOT_FOUND: 'There is no environment "shop.dev", or you may not see it.',
  QUOTA_EXCEEDED: 'Over quota: teams/acme may use instances 5, uses 4, and 3 more was asked for.',
};
const EXTENSIONS: Partial<Record<ErrorCode, object>> = {
  VALIDATION_FAILED: { fields: [{ path: '(root)', message: 'Unrecognized key: "colour"' }] },
  POLICY_DENIED: { policies: [{ id: 'no-latest', message: 'Use a tag other than latest.' }] },
  QUOTA_EXCEEDED: {
    limits: [{ scope: 'teams', name: 'acme', dimension: 'instances', limit: 5, used: 4, requested: 3 }],
  },
};

function addEventStream(operation: Operation): void {
  const content = operation.responses['200']?.content;
  if (content) content['text/event-stream'] = { schema: { type: 'string' } as Media['schema'] };
}

function addExample(media: Media): void {
  const item = media.schema?.properties?.items?.items?.$ref;
  const example = EXAMPLES[nameOf(item ?? media.schema?.$ref)];
  if (example !== undefined) media.example = item ? { items: [example], nextCursor: null } : example;
}

function nameOf(reference: string | undefined): string {
  return reference?.split('/').at(-1) ?? '';
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1)));
}
