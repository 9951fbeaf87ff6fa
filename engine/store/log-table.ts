/**
 * The embedded log's storage: one row a segment, whose bytes are opaque here. Appends that wait for the writer
 * are committed together.
 */
import type {
  DeliveredChunks,
  LogSegment,
  LogStorage,
  Offset,
} from '../../connectors/connector.ts';
import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { Connection } from './connection.ts';
import { writeFailure } from './failure.ts';
import { textLiteral } from './literal.ts';
import { ReadStatement } from './read-statement.ts';
import type { ReaderPool } from './reader-pool.ts';
import { Appender } from './staging.ts';
import { forgetChunksSql } from './system-table.ts';
import { resultDecoder } from './vector-read.ts';
import type { WriteQueue } from './write-queue.ts';

export const logTables = [
  'CREATE TABLE IF NOT EXISTS millrace_topic (id INTEGER, name VARCHAR, partitions INTEGER, options VARCHAR)',
  'CREATE TABLE IF NOT EXISTS millrace_trim (topic INTEGER, partition INTEGER, start BIGINT)',
  'CREATE TABLE IF NOT EXISTS millrace_segment (topic INTEGER, partition INTEGER, base BIGINT, count INTEGER, first_ms DOUBLE, last_ms DOUBLE, data BLOB)',
];

/** Bytes of segments in one transaction, so that an epoch's commit never waits long behind appends. */
const BYTES_PER_APPEND_MAX = 32 * 1024 * 1024;

interface Topic {
  readonly id: number;
  readonly partitions: number;
  readonly options: ReadonlyMap<string, string>;
  readonly starts: Offset[];
  readonly ends: Offset[];
}

interface Waiting {
  readonly segments: readonly LogSegment[];
  readonly delivered: readonly DeliveredChunks[];
  readonly done: PromiseWithResolvers<void>;
}

export class LogTable implements LogStorage {
  readonly #writer: Connection;
  readonly #queue: WriteQueue;
  readonly #readers: ReaderPool;
  readonly #topics = new Map<string, Topic>();
  readonly #appender: Appender;
  #nextId = 1;
  #waiting: Waiting[] = [];
  #scheduled = false;

  private constructor(writer: Connection, queue: WriteQueue, readers: ReaderPool) {
    this.#writer = writer;
    this.#queue = queue;
    this.#readers = readers;
    this.#appender = new Appender(
      writer,
      undefined,
      'millrace_segment',
      [
        { kind: 'integer' },
        { kind: 'integer' },
        { kind: 'bigint' },
        { kind: 'integer' },
        { kind: 'double' },
        { kind: 'double' },
        { kind: 'bytes' },
      ],
      false,
    );
  }

  static async open(writer: Connection, queue: WriteQueue, readers: ReaderPool): Promise<LogTable> {
    const log = new LogTable(writer, queue, readers);
    const byId = new Map<number, Topic>();
    for (const [id, name, partitions, options] of await writer.rows(
      'SELECT id, name, partitions, options FROM millrace_topic ORDER BY id',
    )) {
      const topic: Topic = {
        id: id as number,
        partitions: partitions as number,
        options: new Map(JSON.parse(options as string) as [string, string][]),
        starts: new Array<Offset>(partitions as number).fill(0),
        ends: new Array<Offset>(partitions as number).fill(0),
      };
      byId.set(topic.id, topic);
      log.#topics.set(name as string, topic);
      log.#nextId = topic.id + 1;
    }
    for (const [id, partition, start] of await writer.rows(
      'SELECT topic, partition, max(start) FROM millrace_trim GROUP BY ALL',
    )) {
      const topic = byId.get(id as number);
      if (topic === undefined) continue;
      topic.starts[partition as number] = Number(start);
      topic.ends[partition as number] = Number(start);
    }
    for (const [id, partition, end] of await writer.rows(
      'SELECT topic, partition, max(base + count) FROM millrace_segment GROUP BY ALL',
    )) {
      const topic = byId.get(id as number);
      if (topic === undefined) continue;
      const known = topic.ends[partition as number] ?? 0;
      topic.ends[partition as number] = Math.max(known, Number(end));
    }
    return log;
  }

  async topics(): ReturnType<LogStorage['topics']> {
    return [...this.#topics].map(([name, topic]) => ({
      name,
      partitions: topic.partitions,
      options: topic.options,
      ends: [...topic.ends],
      starts: [...topic.starts],
    }));
  }

  async createTopic(
    name: string,
    partitions: number,
    options: ReadonlyMap<string, string>,
  ): Promise<void> {
    await this.#write('creating a topic', async () => {
      assert(!this.#topics.has(name), `topic ${name} is created once`);
      const id = this.#nextId++;
      const text = textLiteral(JSON.stringify([...options]));
      await this.#writer.run(
        `INSERT INTO millrace_topic VALUES (${id}, ${textLiteral(name)}, ${partitions}, ${text})`,
      );
      this.#topics.set(name, {
        id,
        partitions,
        options: new Map(options),
        starts: new Array<Offset>(partitions).fill(0),
        ends: new Array<Offset>(partitions).fill(0),
      });
    });
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#write('deleting a topic', async () => {
      const topic = this.#topics.get(name);
      if (topic === undefined) return;
      await this.#transaction([
        `DELETE FROM millrace_topic WHERE id = ${topic.id}`,
        `DELETE FROM millrace_trim WHERE topic = ${topic.id}`,
        `DELETE FROM millrace_segment WHERE topic = ${topic.id}`,
      ]);
      this.#topics.delete(name);
    });
  }

  append(
    segments: readonly LogSegment[],
    delivered: readonly DeliveredChunks[] = [],
  ): Promise<void> {
    if (segments.length === 0) return Promise.resolve();
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ segments, delivered, done });
    this.#schedule();
    return done.promise;
  }

  /** One queued job takes everything that waits when it starts, up to its size. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    // Each caller learns of the outcome through its own promise; the job itself never fails.
    void this.#queue.run(async () => {
      this.#scheduled = false;
      const batch: Waiting[] = [];
      let bytes = 0;
      for (const waiting of this.#waiting) {
        if (batch.length > 0 && bytes >= BYTES_PER_APPEND_MAX) break;
        batch.push(waiting);
        for (const segment of waiting.segments) bytes += segment.data.length;
      }
      this.#waiting = this.#waiting.slice(batch.length);
      this.#schedule();
      const valid = batch.filter((waiting) => {
        const missing = waiting.segments.find((segment) => !this.#topics.has(segment.topic));
        if (missing === undefined) return true;
        const message = `there is no topic "${missing.topic}"`;
        waiting.done.reject(new StreamError('SOURCE_UNKNOWN_TOPIC', message));
        return false;
      });
      if (valid.length === 0) return;
      try {
        await this.#appendNow(
          valid.flatMap((waiting) => waiting.segments),
          valid.flatMap((waiting) => waiting.delivered).map(forgetChunksSql),
        );
        for (const waiting of valid) waiting.done.resolve();
      } catch (cause) {
        const error = writeFailure('appending to the log', cause);
        for (const waiting of valid) waiting.done.reject(error);
      }
    });
  }

  async replace(segment: LogSegment): Promise<void> {
    await this.#write('compacting the log', async () => {
      const topic = this.#topics.get(segment.topic);
      if (topic === undefined) return;
      const end = segment.baseOffset + segment.count;
      await this.#appendNow(
        [segment],
        [
          `DELETE FROM millrace_segment WHERE topic = ${topic.id} AND partition = ${segment.partition} ` +
            `AND base >= ${segment.baseOffset} AND base + count <= ${end}`,
        ],
      );
    });
  }

  /** @param before  statements that belong to the same transaction. */
  async #appendNow(segments: readonly LogSegment[], before: readonly string[]): Promise<void> {
    const rows = segments.map((segment) => {
      const topic = this.#topics.get(segment.topic);
      assert(topic !== undefined, 'segments of unknown topics were refused before');
      return [
        topic.id,
        segment.partition,
        BigInt(segment.baseOffset),
        segment.count,
        segment.firstTimestampMs,
        segment.lastTimestampMs,
        segment.data,
      ];
    });
    await this.#writer.run('BEGIN');
    try {
      if (before.length > 0) await this.#writer.run(before.join(';\n'));
      this.#appender.appendRows(rows);
      this.#appender.flush();
      await this.#writer.run('COMMIT');
    } catch (cause) {
      this.#appender.discard();
      // When even the rollback fails the connection is gone, and the first error says why.
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw cause;
    }
    for (const segment of segments) {
      const topic = this.#topics.get(segment.topic);
      if (topic === undefined) continue;
      const end = segment.baseOffset + segment.count;
      topic.ends[segment.partition] = Math.max(topic.ends[segment.partition] ?? 0, end);
    }
  }

  async read(
    topicName: string,
    partition: number,
    from: Offset,
    segmentsMax: number,
  ): Promise<readonly LogSegment[]> {
    const topic = this.#topics.get(topicName);
    if (topic === undefined || segmentsMax <= 0) return [];
    const statement = await ReadStatement.start(
      this.#readers,
      'SELECT base, count, first_ms, last_ms, data FROM millrace_segment ' +
        `WHERE topic = ${topic.id} AND partition = ${partition} AND base + count > ${from} ` +
        `ORDER BY base LIMIT ${segmentsMax}`,
    );
    const decode = resultDecoder(statement.result, undefined);
    const segments: LogSegment[] = [];
    for (;;) {
      const chunk = await statement.next();
      if (chunk === undefined) return segments;
      for (const [base, count, firstMs, lastMs, data] of decode(chunk)) {
        const bytes = data as Uint8Array;
        segments.push({
          topic: topicName,
          partition,
          baseOffset: Number(base),
          count: count as number,
          firstTimestampMs: firstMs as number,
          lastTimestampMs: lastMs as number,
          data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        });
      }
    }
  }

  async trim(topicName: string, partition: number, offset: Offset): Promise<void> {
    await this.#write('trimming the log', async () => {
      const topic = this.#topics.get(topicName);
      if (topic === undefined || offset <= (topic.starts[partition] ?? 0)) return;
      const at = `topic = ${topic.id} AND partition = ${partition}`;
      await this.#transaction([
        `DELETE FROM millrace_segment WHERE ${at} AND base + count <= ${offset}`,
        `DELETE FROM millrace_trim WHERE ${at}`,
        `INSERT INTO millrace_trim VALUES (${topic.id}, ${partition}, ${offset})`,
      ]);
      topic.starts[partition] = offset;
      topic.ends[partition] = Math.max(topic.ends[partition] ?? 0, offset);
    });
  }

  async #transaction(statements: readonly string[]): Promise<void> {
    try {
      await this.#writer.run(['BEGIN', ...statements, 'COMMIT'].join(';\n'));
    } catch (cause) {
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw cause;
    }
  }

  async #write(action: string, job: () => Promise<void>): Promise<void> {
    try {
      await this.#queue.run(job);
    } catch (cause) {
      throw writeFailure(action, cause);
    }
  }
}
