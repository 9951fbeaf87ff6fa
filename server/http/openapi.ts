import type { FastifySchema } from 'fastify';

/** Media types that the doors speak. */
export const json = 'application/json';
export const ndjson = 'application/x-ndjson';
export const csv = 'text/csv';
export const eventStream = 'text/event-stream';

/*
 * Descriptions for /openapi.json. They document only: the routes read requests themselves, since a schema
 * validator would parse numbers and lose their digits.
 */
const string = { type: 'string' } as const;
const integer = { type: 'integer', minimum: 0 } as const;
const object = { type: 'object', additionalProperties: true } as const;

const column = {
  type: 'object',
  properties: { name: string, type: { ...string, description: "PostgreSQL's type name" } },
};

const row = {
  description: 'Values in the order of `columns`, or an object by column name.',
  oneOf: [{ type: 'array', items: {} }, object],
};

const failure = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'sqlstate', 'message'],
      properties: {
        code: { ...string, description: 'One of docs/errors.md' },
        sqlstate: { ...string, minLength: 5, maxLength: 5 },
        message: string,
        detail: string,
        hint: string,
        position: { type: 'integer', minimum: 1, description: 'Character of the text sent' },
        statement: string,
      },
    },
  },
};

const result = {
  oneOf: [
    {
      type: 'object',
      required: ['kind', 'columns', 'rows'],
      properties: {
        kind: { type: 'string', enum: ['rows'] },
        tag: string,
        columns: { type: 'array', items: column },
        rows: { type: 'array', items: { type: 'array', items: {} } },
      },
    },
    {
      type: 'object',
      required: ['kind', 'tag'],
      properties: { kind: { type: 'string', enum: ['ok'] }, tag: string, message: string },
    },
  ],
};

const answers = (schema: object, description: string): FastifySchema['response'] => ({
  200: { description, ...schema },
  '4xx': { description: 'The request or the statement is at fault.', ...failure },
  '5xx': { description: 'The server is at fault, or not ready.', ...failure },
});

const nameParameter = (name: string): object => ({
  type: 'object',
  properties: { [name]: string },
  required: [name],
});

export const sqlDocs: FastifySchema = {
  summary: 'Run SQL statements',
  description:
    'Runs one or more statements in order. A SUBSCRIBE or … EMIT CHANGES answers a stream of JSON lines.',
  tags: ['sql'],
  body: {
    type: 'object',
    required: ['sql'],
    properties: {
      sql: string,
      params: { type: 'array', items: {} },
      session: { ...string, description: 'Keeps SETs and transactions between calls' },
      format: {
        ...string,
        enum: ['json', 'text'],
        description: "`text`: values as PostgreSQL's text",
      },
    },
  },
  response: answers(
    { type: 'object', properties: { results: { type: 'array', items: result } } },
    'One result a statement.',
  ),
};

export const viewDocs: FastifySchema = {
  summary: 'Poll a view',
  description:
    'Rows of a view. Conditions are `column=value` or `column.OP=value` with eq, ne, lt, le, gt, ge, in, like, ' +
    'is-null, is-not-null. The ETag is the version of the view.',
  tags: ['views'],
  produces: [json, ndjson, csv],
  params: nameParameter('name'),
  querystring: {
    type: 'object',
    additionalProperties: string,
    properties: {
      order: { ...string, description: 'Columns, `-` before a falling one: `price,-time`' },
      limit: integer,
      offset: integer,
      wait: {
        ...string,
        description: 'Hold the answer until the view moves, at most so long: `10s`',
      },
      since: { ...integer, description: 'The version after which the view counts as moved' },
      rows: { ...string, enum: ['arrays', 'objects'] },
    },
  },
  response: answers(
    {
      type: 'object',
      properties: {
        version: integer,
        columns: { type: 'array', items: column },
        rows: { type: 'array', items: row },
      },
    },
    'The rows as of `version`.',
  ),
};

export const changesDocs: FastifySchema = {
  summary: 'Follow a view',
  description:
    'Server-sent events: a snapshot, then every change. Last-Event-ID or `since` resumes.',
  tags: ['views'],
  produces: [eventStream],
  params: nameParameter('name'),
  querystring: { type: 'object', properties: { since: integer, snapshot: { type: 'boolean' } } },
  response: answers({ type: 'string' }, 'A stream of events.'),
};

const accepted = { type: 'object', properties: { accepted: integer } };

export const ingestDocs: FastifySchema = {
  summary: 'Write records into a stream',
  description: 'A JSON array or one JSON value a line. Answers when the records are durable.',
  tags: ['streams'],
  consumes: [json, ndjson],
  params: nameParameter('name'),
  body: { type: 'array', items: {} },
  response: answers(accepted, 'All records are durable.'),
};

export const copyDocs: FastifySchema = {
  summary: 'COPY … FROM STDIN and COPY … TO STDOUT',
  description:
    'The rows are the body of the request (POST), or of the answer, as text or CSV, whatever the size.',
  tags: ['sql'],
  querystring: {
    type: 'object',
    required: ['sql'],
    properties: { sql: { ...string, description: 'One COPY statement' }, session: string },
  },
  response: answers(
    { type: 'object', properties: { kind: string, tag: string, message: string } },
    'Of FROM STDIN: how many rows; of TO STDOUT the rows as text.',
  ),
};

export const listTopicsDocs: FastifySchema = {
  summary: 'List topics',
  tags: ['topics'],
  response: answers(
    {
      type: 'object',
      properties: {
        topics: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: string, partitions: integer, replication: integer },
          },
        },
      },
    },
    'All topics.',
  ),
};

export const produceDocs: FastifySchema = {
  summary: 'Write raw records into a topic',
  tags: ['topics'],
  params: nameParameter('topic'),
  body: {
    type: 'object',
    required: ['records'],
    properties: {
      records: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            key: {},
            keyBase64: string,
            value: {},
            valueBase64: string,
            timestamp: integer,
            partition: integer,
            headers: object,
          },
        },
      },
    },
  },
  response: answers(
    {
      type: 'object',
      properties: {
        accepted: integer,
        records: {
          type: 'array',
          items: { type: 'object', properties: { partition: integer, offset: integer } },
        },
      },
    },
    'All records are durable.',
  ),
};

export const readTopicDocs: FastifySchema = {
  summary: 'Read raw records of a topic',
  tags: ['topics'],
  params: nameParameter('topic'),
  querystring: {
    type: 'object',
    properties: { partition: integer, offset: integer, limit: integer },
  },
  response: answers(
    {
      type: 'object',
      properties: {
        records: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              partition: integer,
              offset: integer,
              timestamp: integer,
              key: {},
              value: {},
              headers: object,
            },
          },
        },
      },
    },
    'Records in offset order, partition after partition.',
  ),
};

export const deleteTopicDocs: FastifySchema = {
  summary: 'Delete a topic with its records',
  tags: ['topics'],
  params: nameParameter('topic'),
  response: answers({ type: 'object', properties: { deleted: string } }, 'The topic is gone.'),
};

export const statusDocs = (summary: string): FastifySchema => ({
  summary,
  tags: ['operations'],
  response: answers(object, summary),
});
