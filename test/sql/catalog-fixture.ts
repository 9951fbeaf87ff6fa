/** A small catalog for tests of the binder, as statements that PostgreSQL reads as well. */

import type { SqlType } from '../../sql/base/type.ts';
import type { Catalog, Relation, StatementContext } from '../../sql/catalog.ts';

const text: SqlType = { kind: 'text' };
const integer: SqlType = { kind: 'integer' };
const bigint: SqlType = { kind: 'bigint' };
const timestamp: SqlType = { kind: 'timestamp' };

type ColumnSpec = readonly [name: string, type: SqlType, notNull?: boolean];

const person: readonly ColumnSpec[] = [
  ['id', bigint, true],
  ['name', text],
  ['email_address', text],
  ['city', { kind: 'varchar', length: 40 }],
  ['state', text],
  ['date_time', timestamp],
];

const auction: readonly ColumnSpec[] = [
  ['id', bigint, true],
  ['item_name', text],
  ['initial_bid', integer],
  ['reserve', integer],
  ['date_time', timestamp],
  ['expires', timestamp],
  ['seller', bigint],
  ['category', bigint],
];

const bid: readonly ColumnSpec[] = [
  ['auction', bigint],
  ['bidder', bigint],
  ['price', bigint],
  ['channel', text],
  ['url', text],
  ['date_time', timestamp],
];

/** One column of every type. */
const kinds: readonly ColumnSpec[] = [
  ['b', { kind: 'boolean' }],
  ['i2', { kind: 'smallint' }],
  ['i4', integer],
  ['i8', bigint],
  ['f4', { kind: 'real' }],
  ['f8', { kind: 'double' }],
  ['n', { kind: 'numeric' }],
  ['m', { kind: 'numeric', precision: 10, scale: 2 }],
  ['t', text],
  ['v', { kind: 'varchar', length: 10 }],
  ['c', { kind: 'char', length: 5 }],
  ['y', { kind: 'bytea' }],
  ['d', { kind: 'date' }],
  ['tm', { kind: 'time' }],
  ['ts', timestamp],
  ['tz', { kind: 'timestamptz' }],
  ['iv', { kind: 'interval' }],
  ['j', { kind: 'json' }],
  ['jb', { kind: 'jsonb' }],
  ['u', { kind: 'uuid' }],
  ['ai', { kind: 'array', element: integer }],
  ['at', { kind: 'array', element: text }],
];

function source(
  name: string,
  id: number,
  kind: 'stream' | 'table',
  columns: readonly ColumnSpec[],
  primaryKey: readonly number[] = [],
): Relation {
  return {
    kind,
    name,
    id,
    schema: columns.map(([column, type, notNull]) => ({
      name: column,
      type,
      nullable: notNull !== true,
    })),
    sql: '',
    dependsOn: [],
    readOnly: false,
    input: undefined,
    primaryKey,
    uniques:
      primaryKey.length === 0
        ? []
        : [
            {
              name: `${name}_pkey`,
              origin: 'primary-key',
              items: primaryKey.map((index) => ({
                expression: {
                  kind: 'column',
                  index,
                  type: columns[index]?.[1] ?? { kind: 'text' },
                },
                text: columns[index]?.[0] ?? '',
              })),
              nullsNotDistinct: false,
              where: undefined,
            },
          ],
    columns: columns.map(([column, , notNull]) => ({
      from: { kind: 'value', field: column },
      default: undefined,
      notNull: notNull === true,
    })),
    watermark: undefined,
    query: undefined,
  };
}

const account: readonly ColumnSpec[] = [
  ['id', integer, true],
  ['owner', text],
  ['balance', { kind: 'numeric', precision: 12, scale: 2 }],
];

export const relations: readonly Relation[] = [
  source('person', 1, 'table', person, [0]),
  source('auction', 2, 'table', auction, [0]),
  source('bid', 3, 'stream', bid),
  source('kinds', 4, 'table', kinds),
  source('account', 5, 'table', account, [0]),
];

/** The same tables for PostgreSQL. */
export const postgresTables = `
  CREATE TABLE person (id bigint PRIMARY KEY, name text, email_address text, city varchar(40), state text, date_time timestamp);
  CREATE TABLE auction (id bigint PRIMARY KEY, item_name text, initial_bid int, reserve int, date_time timestamp, expires timestamp,
    seller bigint, category bigint);
  CREATE TABLE bid (auction bigint, bidder bigint, price bigint, channel text, url text, date_time timestamp);
  CREATE TABLE kinds (b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, m numeric(10,2), t text,
    v varchar(10), c char(5), y bytea, d date, tm time, ts timestamp, tz timestamptz, iv interval, j json, jb jsonb, u uuid, ai int[], at text[]);
  CREATE TABLE account (id int PRIMARY KEY, owner text, balance numeric(12,2));
`;

export const catalog: Catalog = {
  schemas: () => ['public'],
  relation: (name) => relations.find((relation) => relation.name === name),
  relations: () => relations,
  type: () => undefined,
  types: () => [],
};

export const statement: StatementContext = {
  params: [],
  paramTypes: [],
  nowMicros: 1_700_000_000_000_000n,
  settings: new Map(),
};
