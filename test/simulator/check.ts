/**
 * The promise, looked at after every commit: each relation holds exactly what its query answers over the input that the same
 * commit says is consumed, which relations it reads included; and no sink brings a row twice, or one that was never there.
 */
import assert from 'node:assert/strict';
import type { LogSegment, StoredRecord } from '../../connectors/connector.ts';
import { decodeSegment } from '../../connectors/embedded/segment.ts';
import { storedRecord } from '../../connectors/record-batch.ts';
import { RECORD_ERROR } from '../../engine/runtime/error-schema.ts';
import type { PartitionPosition } from '../../engine/store/store.ts';
import type { RelationDetail } from '../../server/live-catalog.ts';
import type { Row } from '../../sql/base/datum.ts';
import { type Event, eventOf, type Input, SINKS, type SinkSpec, tableRows, VIEWS } from './job.ts';
import type { Cluster } from './sim-cluster.ts';
import { rowKey, type StoreMedium } from './sim-store.ts';

type Offsets = Readonly<Record<string, number>>;

/** What reads a topic. */
interface Source {
  /** Its id in the engine. */
  readonly id: number;
  readonly records: readonly StoredRecord[];
  /** Per partition where it goes on. */
  readonly positions: ReadonlyMap<number, number>;
}

export class Checker {
  readonly #cluster: Cluster;
  readonly #medium: StoreMedium;
  #positions: readonly PartitionPosition[] = [];
  /** Streams as they are at the commit that is looked at. */
  readonly #sources = new Map<string, Source>();

  readonly #decoded = new WeakMap<LogSegment, readonly StoredRecord[]>();

  constructor(cluster: Cluster, medium: StoreMedium) {
    this.#cluster = cluster;
    this.#medium = medium;
  }

  /** Every relation that has caught up. @returns their names. */
  commit(): readonly string[] {
    this.#positions = this.#medium.progress.positions;
    this.#sources.clear();
    const checked: string[] = [];
    for (const view of VIEWS) {
      const detail = this.#detail(view.name);
      if (detail?.level !== true || detail.paused === true) continue;
      const inputs = [view.name, ...(view.reads ?? [])].map((name) => this.#detail(name));
      if (inputs.some((input) => input?.level !== true)) continue;
      this.#same(view.name, view.rows(this.#input(detail)));
      this.#errors(view.name, detail);
      checked.push(view.name);
    }
    const table = this.#detail('d');
    if (table?.level === true) {
      this.#same('d', tableRows(this.#input(table).changelog));
      checked.push('d');
    }
    this.#recordErrors();
    return checked;
  }

  /** What has arrived at the sinks so far may be incomplete, but nothing of it may be wrong. */
  sinks(): void {
    for (const sink of SINKS) {
      const { holds } = sink;
      if ('stream' in holds) {
        const ids = this.arrived(sink).map(({ value }) => eventOf(value)?.id);
        assert.equal(new Set(ids).size, ids.length, `${sink.name} brings no row twice`);
        const known = new Set(this.#events(holds.stream).map(({ id }) => id));
        for (const id of ids) assert.ok(id !== undefined && known.has(id), `${sink.name}: ${id}`);
      } else if (sink.name !== 'out_again') {
        this.#changes(sink);
      }
    }
  }

  /** Everything that was ever there is consumed, shown and delivered. */
  end(names: readonly string[]): void {
    const checked = new Set(this.commit());
    for (const name of names) assert.ok(checked.has(name), `${name} has caught up`);
    for (const stream of ['a', 'e'] as const) {
      const source = this.#source(stream);
      const left = source.records.filter((record) => !this.#isConsumed(source, record));
      assert.equal(left.length, 0, `records of ${stream} that are not consumed`);
    }
    this.sinks();
    for (const sink of SINKS) {
      const detail = this.#detail(sink.name);
      if (detail === undefined) continue;
      const records = this.arrived(sink);
      if ('stream' in sink.holds) {
        const due = this.#input(detail)[sink.holds.stream].length;
        assert.equal(records.length, due, `rows of ${sink.name}`);
      } else {
        const states = new Set(records.map(({ value }) => stateText(value)));
        const last = lastOfKeys(records);
        for (const [k, n, total] of this.#stored(sink.holds.changesOf)) {
          const state = `${k} ${n} ${total}`;
          assert.ok(states.has(state), `${sink.name} has brought ${state}`);
          const isOrdered = sink.name !== 'out_again' && k !== null;
          if (isOrdered) assert.equal(last.get(String(k)), state, sink.name);
        }
      }
    }
    assert.equal(this.#medium.outbox.length, 0, 'chunks left in the outbox');
  }

  /** Every plan is known to have caught up, durably. */
  areLevel(): boolean {
    return [...VIEWS, ...SINKS, { name: 'd' }]
      .map(({ name }) => this.#detail(name))
      .every((detail) => detail === undefined || detail.level === true || detail.paused === true);
  }

  /** Records whose senders were told that they are there for good. */
  acknowledged(ids: readonly bigint[]): void {
    const texts = this.#embedded('e').map(({ value }) => /"id":(\d+)/.exec(String(value))?.[1]);
    const there = new Set(texts);
    assert.equal(there.size, texts.length, 'no record is in the log twice');
    for (const id of ids) assert.ok(there.has(String(id)), `record ${id} is in the log`);
  }

  /** What lies at a sink's destination. */
  arrived({ topic, where }: SinkSpec): readonly StoredRecord[] {
    return where === 'cluster' ? this.#ofCluster(topic) : this.#embedded(topic);
  }

  #changes(sink: SinkSpec): void {
    const last = new Map<string, bigint>();
    for (const { value } of this.arrived(sink)) {
      const [k = '', n = '0'] = stateText(value).split(' ');
      // A record without a key goes to any partition, so these have no order.
      if (k === 'null') continue;
      const before = last.get(k) ?? 0n;
      assert.ok(BigInt(n) > before, `${sink.name}: key ${k} has ${n} rows after ${before}`);
      last.set(k, BigInt(n));
    }
  }

  #same(name: string, expected: readonly Row[]): void {
    assert.deepEqual(texts(this.#stored(name)), texts(expected), name);
  }

  /** Rows that `quotients` cannot compute. */
  #errors(name: string, detail: RelationDetail): void {
    if (name !== 'quotients' || detail.errorsId === undefined) return;
    const failing = this.#input(detail).a.filter(({ v }) => v === 0).length;
    const kept = this.#rowsOf(detail.errorsId).length;
    assert.equal(kept, failing, 'failures of quotients');
  }

  #recordErrors(): void {
    for (const stream of ['a', 'e'] as const) {
      const { errorsId } = this.#detail(stream) ?? {};
      if (errorsId === undefined) continue;
      const place = (partition: unknown, offset: unknown): string => `${partition} ${offset}`;
      const kept = this.#rowsOf(errorsId).map((row) =>
        place(row[RECORD_ERROR.partition], row[RECORD_ERROR.offset]),
      );
      const source = this.#source(stream);
      const bad = source.records
        .filter((record) => this.#isConsumed(source, record) && eventOf(record.value) === undefined)
        .map(({ partition, offset }) => place(partition, offset));
      assert.deepEqual(kept.sort(), bad.sort(), `${stream}_errors`);
    }
  }

  // ------------------------------------------------------------------- input

  /** @param starts  of the plan, by the engine's id of a stream and partition. */
  #input(detail: RelationDetail): Input {
    const starts = (detail.starts ?? {}) as Readonly<Record<string, Offsets>>;
    const consumed = (name: string): StoredRecord[] => {
      const source = this.#source(name);
      const from = starts[source.id] ?? {};
      return source.records.filter(
        (record) =>
          this.#isConsumed(source, record) && record.offset >= (from[record.partition] ?? 0),
      );
    };
    const events = (name: string): Event[] =>
      consumed(name).flatMap(({ value }) => eventOf(value) ?? []);
    return {
      a: events('a'),
      e: events('e'),
      back: events('back'),
      changelog: consumed('d'),
      rows: (name) => this.#stored(name),
    };
  }

  #isConsumed({ positions }: Source, { partition, offset }: StoredRecord): boolean {
    return offset < (positions.get(partition) ?? 0);
  }

  #source(name: string): Source {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const entryId = this.#medium.entry(name)?.id ?? 0;
    const id = name === 'd' ? -entryId : entryId;
    const positions = new Map<number, number>();
    for (const { relationId, partition, offset } of this.#positions) {
      if (relationId === id) positions.set(partition, offset);
    }
    const topic = name === 'back' ? 'out-a' : name;
    const records = name === 'e' ? this.#embedded(topic) : this.#ofCluster(topic);
    const source = { id, records, positions };
    this.#sources.set(name, source);
    return source;
  }

  #events(stream: 'a' | 'e'): readonly Event[] {
    const source = this.#source(stream);
    return source.records
      .filter((record) => this.#isConsumed(source, record))
      .flatMap(({ value }) => eventOf(value) ?? []);
  }

  #ofCluster(topic: string): readonly StoredRecord[] {
    return (this.#cluster.topics.get(topic) ?? []).flatMap(({ records }) => records);
  }

  #embedded(topic: string): readonly StoredRecord[] {
    return (this.#medium.topics.get(topic)?.segments ?? []).flatMap((segment) => {
      const known = this.#decoded.get(segment);
      if (known !== undefined) return known;
      const batch = decodeSegment(segment);
      const records = Array.from({ length: batch.length }, (_, r) => storedRecord(batch, r));
      this.#decoded.set(segment, records);
      return records;
    });
  }

  // ------------------------------------------------------------------ output

  #detail(name: string): RelationDetail | undefined {
    const entry = this.#medium.entry(name);
    return entry === undefined ? undefined : (JSON.parse(entry.detail) as RelationDetail);
  }

  #stored(name: string): readonly Row[] {
    const entry = this.#medium.entry(name);
    return entry === undefined ? [] : this.#rowsOf(entry.id);
  }

  #rowsOf(id: number): readonly Row[] {
    return [...(this.#medium.tables.get(id)?.values() ?? [])].flatMap(({ row, count }) =>
      Array.from({ length: count }, () => row),
    );
  }
}

function stateText(value: Buffer | null): string {
  const { k, n, total } = JSON.parse(String(value)) as Record<string, unknown>;
  return `${k} ${n} ${total}`;
}

function lastOfKeys(records: readonly StoredRecord[]): ReadonlyMap<string, string> {
  return new Map(
    records.map(({ value }) => {
      const text = stateText(value);
      return [text.split(' ')[0] ?? '', text] as const;
    }),
  );
}

function texts(rows: readonly Row[]): readonly string[] {
  return rows.map(rowKey).sort();
}
