import type { StoredRecord, TopicInfo } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import { Answer } from './answer.ts';
import { finiteAnswer } from './answer-limits.ts';
import type { Door } from './door.ts';
import { deleteTopicDocs, json, listTopicsDocs, produceDocs, readTopicDocs } from './openapi.ts';
import { parseTopicBody } from './topic-body.ts';
import { recordText } from './topic-text.ts';
import { parseCount } from './view-query.ts';

interface TopicParams {
  readonly topic: string;
}

interface ReadRequest {
  readonly Params: TopicParams;
  readonly Querystring: {
    readonly partition?: string;
    readonly offset?: string;
    readonly limit?: string;
  };
}

const LIMIT_DEFAULT = 10_000;

/** Raw topics of the embedded log or of Kafka: list, write, read, delete. */
export function topicRoutes(door: Door): void {
  const { app, database, limits } = door;

  app.get('/v1/topics', { schema: listTopicsDocs }, async () => {
    const topics = await database.topics();
    return {
      topics: topics.map(({ name, partitions, replication }) => ({
        name,
        partitions,
        replication,
      })),
    };
  });

  app.post<{ Params: TopicParams }>(
    '/v1/topics/:topic/records',
    { schema: produceDocs },
    async (request) => {
      const body = await door.bodies.decoded(request);
      const records = parseTopicBody(body, limits);
      const places =
        records.length === 0 ? [] : await database.produce(request.params.topic, records);
      return { accepted: places.length, records: places };
    },
  );

  app.get<ReadRequest>(
    '/v1/topics/:topic/records',
    { schema: readTopicDocs },
    async (request, reply) => {
      const records = await readRecords(door, request.params.topic, request.query);
      const answer = new Answer(reply, json, finiteAnswer(door));
      await answer.write('{"records":[');
      for (const [index, record] of records.entries()) {
        const text = recordText(record, limits.jsonDepthMax);
        await answer.write(index === 0 ? text : `,${text}`);
      }
      await answer.write(']}');
      answer.finish(200);
      return reply;
    },
  );

  app.delete<{ Params: TopicParams }>(
    '/v1/topics/:topic',
    { schema: deleteTopicDocs },
    async (request) => {
      await database.deleteTopic(request.params.topic);
      return { deleted: request.params.topic };
    },
  );
}

/** Records of one partition, or of all of them one after the other. */
async function readRecords(
  door: Door,
  topic: string,
  query: ReadRequest['Querystring'],
): Promise<readonly StoredRecord[]> {
  const partition = parseCount('partition', query.partition);
  const offset = parseCount('offset', query.offset) ?? 0;
  const limit = parseCount('limit', query.limit) ?? LIMIT_DEFAULT;
  if (limit > door.limits.recordsPerReadMax) {
    throw new StreamError(
      'REQUEST_INVALID',
      `"limit" may be at most ${door.limits.recordsPerReadMax}`,
    );
  }
  if (partition !== undefined) {
    return await door.database.readTopic(topic, partition, offset, limit);
  }
  const { partitions } = await findTopic(door, topic);
  const records: StoredRecord[] = [];
  for (let next = 0; next < partitions && records.length < limit; next++) {
    const rest = limit - records.length;
    records.push(...(await door.database.readTopic(topic, next, offset, rest)));
  }
  return records;
}

async function findTopic(door: Door, name: string): Promise<TopicInfo> {
  const topics = await door.database.topics();
  const topic = topics.find((candidate) => candidate.name === name);
  if (topic === undefined) {
    throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${name}" does not exist`);
  }
  return topic;
}
