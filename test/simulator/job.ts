/**
 * The simulated job: streams of a cluster and of the embedded log, a table over a changelog, views over views, sinks of every
 * guarantee, and what each of them holds for given input, said plainly.
 */
import type { StoredRecord } from '../../connectors/connector.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import type { World } from './world.ts';

/** The rows of `a` and `e`. */
export interface Event {
  readonly id: bigint;
  readonly k: number | null;
  readonly v: number;
}

/** What a plan has consumed: of each stream from where the plan began, of tables and views all of it. */
export interface Input {
  readonly a: readonly Event[];
  readonly e: readonly Event[];
  /** Rows of the topic that sink `out_a` writes, read back. */
  readonly back: readonly Event[];
  /** Records of the changelog of `d`, oldest first. */
  readonly changelog: readonly StoredRecord[];
  /** The rows of a relation of this database. */
  rows(name: string): readonly Row[];
}

export interface RelationSpec {
  readonly name: string;
  readonly sql: string;
  /** Rows, in any order. */
  readonly rows: (input: Input) => readonly Row[];
  /** Nothing reads it, so it may be paused and dropped. */
  readonly isLeaf?: boolean;
  /** Its plan reads these relations. */
  readonly reads?: readonly string[];
}

export const SOURCES = `
  CREATE STREAM a (id bigint, k int, v int) WITH (kafka_topic = 'a', value_format = 'json');
  CREATE TABLE d (k int PRIMARY KEY, name text) WITH (kafka_topic = 'd', key_format = 'json', value_format = 'json');
  CREATE STREAM e (id bigint, k int, v int) WITH (connector = 'embedded', topic = 'e', partitions = 2);
  CREATE STREAM back (id bigint, k int, v int) WITH (kafka_topic = 'out-a', value_format = 'json');`;

function grouped<K, V>(items: readonly V[], keyOf: (item: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function sum(values: readonly (number | bigint)[]): bigint {
  return values.reduce<bigint>((total, value) => total + BigInt(value), 0n);
}

export function tableRows(changelog: readonly StoredRecord[]): readonly Row[] {
  const rows = new Map<number, Row>();
  for (const { key, value } of changelog) {
    const k = Number(String(key));
    if (value === null) rows.delete(k);
    else rows.set(k, [k, (JSON.parse(String(value)) as { name: string }).name]);
  }
  return [...rows.values()];
}

export const VIEWS: readonly RelationSpec[] = [
  {
    name: 'totals',
    sql: 'SELECT k, count(*) AS n, sum(v) AS total FROM a GROUP BY k',
    rows: ({ a }) =>
      [...grouped(a, ({ k }) => k)].map(([k, rows]) => [
        k,
        BigInt(rows.length),
        sum(rows.map(({ v }) => v)),
      ]),
  },
  {
    name: 'grand',
    sql: 'SELECT sum(n)::bigint AS n, sum(total)::bigint AS total FROM totals',
    rows: ({ rows }) => {
      const totals = rows('totals');
      if (totals.length === 0) return [[null, null]];
      return [[sum(totals.map((row) => row[1] as bigint)), sum(totals.map((r) => r[2] as bigint))]];
    },
    isLeaf: true,
    reads: ['totals'],
  },
  {
    name: 'joined',
    sql: 'SELECT a.id, d.name FROM a JOIN d ON a.k = d.k',
    rows: ({ a, rows }) =>
      a.flatMap(({ id, k }) =>
        rows('d').flatMap((row): Row[] => (row[0] === k ? [[id, row[1] as Datum]] : [])),
      ),
    reads: ['d'],
  },
  {
    name: 'named',
    sql: 'SELECT name, count(*) AS n FROM joined GROUP BY name',
    rows: ({ rows }) =>
      [...grouped(rows('joined'), (row) => row[1] as string)].map(([name, of]) => [
        name,
        BigInt(of.length),
      ]),
    isLeaf: true,
    reads: ['joined'],
  },
  {
    name: 'paired',
    sql: 'SELECT a.id, e.id AS other FROM a JOIN e ON a.k = e.k AND a.v = e.v',
    rows: ({ a, e }) =>
      a.flatMap((left) =>
        e.flatMap((right): Row[] =>
          left.k !== null && left.k === right.k && left.v === right.v ? [[left.id, right.id]] : [],
        ),
      ),
    isLeaf: true,
  },
  {
    name: 'best',
    sql: 'SELECT id, v FROM a ORDER BY v DESC, id LIMIT 3',
    rows: ({ a }) =>
      [...a]
        .sort((x, y) => y.v - x.v || Number(x.id - y.id))
        .slice(0, 3)
        .map(({ id, v }) => [id, v]),
    isLeaf: true,
  },
  {
    name: 'kinds',
    sql: 'SELECT DISTINCT k, v FROM e',
    rows: ({ e }) =>
      [...grouped(e, ({ k, v }) => `${k} ${v}`).values()].map(([row]) => [
        row?.k ?? null,
        row?.v ?? null,
      ]),
  },
  {
    name: 'quotients',
    sql: 'SELECT id, 100 / v AS q FROM a',
    rows: ({ a }) => a.flatMap(({ id, v }): Row[] => (v === 0 ? [] : [[id, Math.trunc(100 / v)]])),
    isLeaf: true,
  },
  {
    name: 'unused',
    sql: 'SELECT d.k, d.name FROM d WHERE NOT EXISTS (SELECT 1 FROM e WHERE e.k = d.k)',
    rows: ({ e, rows }) => rows('d').filter((row) => e.every(({ k }) => k !== row[0])),
    isLeaf: true,
    reads: ['d'],
  },
  {
    name: 'echoed',
    sql: 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM back',
    rows: ({ back }) => [[BigInt(back.length), BigInt(new Set(back.map(({ id }) => id)).size)]],
    isLeaf: true,
  },
];

export interface SinkSpec {
  readonly name: string;
  readonly sql: string;
  readonly topic: string;
  readonly where: 'cluster' | 'embedded';
  /** What has to arrive: each row once, or the last state of each key of a view. */
  readonly holds: { readonly stream: 'a' | 'e' } | { readonly changesOf: string };
}

export const SINKS: readonly SinkSpec[] = [
  {
    name: 'out_a',
    sql: "CREATE SINK out_a AS SELECT id, k, v FROM a WITH (topic = 'out-a')",
    topic: 'out-a',
    where: 'cluster',
    holds: { stream: 'a' },
  },
  {
    name: 'out_totals',
    sql: "CREATE SINK out_totals FROM totals WITH (topic = 'out-totals', partitions = 2)",
    topic: 'out-totals',
    where: 'cluster',
    holds: { changesOf: 'totals' },
  },
  {
    name: 'out_again',
    sql: "CREATE SINK out_again FROM totals WITH (topic = 'out-again', 'sink.delivery-guarantee' = 'at-least-once')",
    topic: 'out-again',
    where: 'cluster',
    holds: { changesOf: 'totals' },
  },
  {
    name: 'out_e',
    sql: "CREATE SINK out_e AS SELECT id, k, v FROM e WITH (connector = 'embedded', topic = 'out-e', partitions = 2)",
    topic: 'out-e',
    where: 'embedded',
    holds: { stream: 'e' },
  },
];

const KEYS = 5;
const VALUES = 5;
const NAMES = ['x', 'y', 'z'];

/** A record of `a` or `e`; one in a few is no row of its stream. */
export function eventRecord(world: World, id: bigint): Buffer {
  const k = world.oneIn(8) ? null : world.below(KEYS);
  if (world.oneIn(15)) return Buffer.from(`{"id":${id},"k":"broken"`);
  return Buffer.from(JSON.stringify({ id: Number(id), k, v: world.below(VALUES) }));
}

export function changelogRecord(world: World): { key: Buffer; value: Buffer | null } {
  const k = world.below(KEYS);
  const value = world.oneIn(4) ? null : Buffer.from(JSON.stringify({ k, name: world.pick(NAMES) }));
  return { key: Buffer.from(String(k)), value };
}

const events = new WeakMap<Buffer, Event | 'broken'>();

/** Undefined for a record that is no row. */
export function eventOf(value: Buffer | null): Event | undefined {
  if (value === null) return undefined;
  let event = events.get(value);
  if (event === undefined) {
    event = parseEvent(String(value));
    events.set(value, event);
  }
  return event === 'broken' ? undefined : event;
}

function parseEvent(text: string): Event | 'broken' {
  if (text.includes('broken')) return 'broken';
  const { id, k, v } = JSON.parse(text) as { id: number; k: number | null; v: number };
  return { id: BigInt(id), k, v };
}
