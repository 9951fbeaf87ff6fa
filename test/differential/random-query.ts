/**
 * Random queries over two small tables with a column of most types. Where PostgreSQL may answer in several ways (which of two
 * equal values of different looks, sums of doubles in any order) none is made; nor is one that fails, as it depends on the
 * plan which rows are computed at all.
 */
import { generator } from './view-history.ts';

export type Kind = 'int' | 'big' | 'num' | 'dbl' | 'text' | 'date' | 'ts' | 'tz' | 'iv' | 'bool';

interface Column {
  readonly sql: string;
  readonly kind: Kind;
}

interface Source {
  readonly sql: string;
  readonly columns: readonly Column[];
}

type Of = (kind: Kind) => string;

export const QUERY_TABLES: readonly string[] = [
  `CREATE TABLE w (id int PRIMARY KEY, i int, b bigint, s smallint, n numeric, m numeric(10,3), d double precision,
     t text, v varchar(8), dt date, ts timestamp, tz timestamptz, iv interval, o boolean)`,
  'CREATE TABLE u (id int PRIMARY KEY, i int, t text, n numeric, dt date)',
];

const tableColumns: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  w: {
    id: 'int',
    i: 'int',
    b: 'big',
    s: 'int',
    n: 'num',
    m: 'num',
    d: 'dbl',
    t: 'text',
    v: 'text',
    dt: 'date',
    ts: 'ts',
    tz: 'tz',
    iv: 'iv',
    o: 'bool',
  },
  u: { id: 'int', i: 'int', t: 'text', n: 'num', dt: 'date' },
};

const domains: Readonly<Record<string, readonly string[]>> = {
  i: ['0', '1', '2', '-3', '70000', 'NULL'],
  b: ['0', '5', '-9007199254740995', '9007199254740993', 'NULL'],
  s: ['1', '-1', '32767', 'NULL'],
  n: ['0', '1.5', '-2.25', '123456789012345678901234.5', '0.0001', 'NULL'],
  m: ['0', '1.5', '-2.255', '9999999.999', 'NULL'],
  d: ['0', '1.5', '-2.25', '1e10', '0.1', 'NULL'],
  t: ["''", "'a'", "'Ab c'", "'ä€😀'", "'12'", "'a_b%'", 'NULL'],
  v: ["'x'", "'xyz'", "' y '", 'NULL'],
  dt: ["'2024-02-29'", "'1999-12-31'", "'2024-03-01'", 'NULL'],
  ts: [
    "'2024-02-29 12:34:56.789'",
    "'1969-12-31 23:59:59'",
    "'2024-12-31 23:59:59.999999'",
    'NULL',
  ],
  tz: ["'2024-02-29 12:34:56+02'", "'2000-01-01 00:00:00Z'", 'NULL'],
  iv: ["'1 day'", "'1 mon -2 days 03:04:05.5'", "'-1 hour'", 'NULL'],
  o: ['true', 'false', 'NULL'],
};

const literals: Readonly<Record<Kind, readonly string[]>> = {
  int: ['0', '1', '2', '7', '(-3)'],
  big: ['5::bigint', '(-9007199254740993)'],
  num: ['1.5', '0.00', '(-2.25)', '100.0'],
  dbl: ['1.5::float8', '0::float8'],
  text: ["'a'", "''", "'Ab c'", "'12'"],
  date: ["date '2024-02-29'", "date '2000-01-01'"],
  ts: ["timestamp '2024-02-29 12:00'", "timestamp '2000-01-01'"],
  tz: ["timestamptz '2024-02-29 12:00Z'"],
  iv: ["interval '1 day'", "interval '1 month'", "interval '90 minutes'"],
  bool: ['true', 'false', 'NULL::boolean'],
};

/** What gives a value of each kind. */
const makers: Readonly<Record<Kind, readonly ((of: Of) => string)[]>> = {
  int: [
    (of) => `(${of('int')} + 2)`,
    (of) => `(${of('int')} - ${of('int')} % 10)`,
    (of) => `(${of('int')} / 3)`,
    (of) => `(${of('int')} % -2)`,
    (of) => `length(${of('text')})`,
    (of) => `position(${of('text')} IN ${of('text')})`,
    (of) => `(${of('date')} - ${of('date')})`,
    (of) => `sign(${of('num')})::int`,
    (of) => `extract(year FROM ${of('date')})::int`,
    (of) => `extract(isodow FROM ${of('ts')})::int`,
    (of) => `extract(week FROM ${of('date')})::int`,
    (of) => `(${of('bool')})::int`,
    (of) => `ascii(${of('text')})`,
    (of) => `(${of('int')} & 7)`,
    (of) => `octet_length(${of('text')})`,
  ],
  big: [
    (of) => `(${of('int')}::bigint * 3)`,
    (of) => `(length(${of('text')}) - ${of('big')} / 5)`,
    (of) => `(${of('big')} / 7)`,
    (of) => `(${of('big')} % 1000)`,
  ],
  num: [
    (of) => `(${of('num')} + ${of('num')})`,
    (of) => `(${of('num')} * ${of('num')})`,
    (of) => `(${of('num')} / 7.00)`,
    (of) => `(${of('num')} / -0.3)`,
    (of) => `round(${of('num')}, 1)`,
    (of) => `round(${of('num')}, -1)`,
    (of) => `trunc(${of('num')}, 1)`,
    (of) => `(${of('num')} % 7)`,
    (of) => `floor(${of('num')})`,
    (of) => `ceil(${of('num')})`,
    (of) => `${of('int')}::numeric(12,2)`,
    (of) => `extract(epoch FROM ${of('ts')})`,
    (of) => `(-${of('num')})`,
    (of) => `sqrt(abs(${of('num')}))`,
    (of) => `(${of('big')} * 1.10)`,
  ],
  dbl: [
    (of) => `(${of('dbl')} + ${of('dbl')})`,
    (of) => `(${of('dbl')} * ${of('dbl')})`,
    (of) => `${of('int')}::float8`,
    (of) => `round(${of('dbl')})`,
    (of) => `abs(${of('dbl')})`,
    (of) => `${of('num')}::float8`,
    (of) => `date_part('second', ${of('ts')})`,
  ],
  text: [
    (of) => `upper(${of('text')})`,
    (of) => `(${of('text')} || ${of('text')})`,
    (of) => `(${of('text')} || ${of('int')})`,
    (of) => `substring(${of('text')}, -1, 3)`,
    (of) => `left(${of('text')}, -1)`,
    (of) => `trim(${of('text')})`,
    (of) => `replace(${of('text')}, 'a', 'bb')`,
    (of) => `${of('num')}::text`,
    (of) => `${of('dbl')}::text`,
    (of) => `${of('iv')}::text`,
    (of) => `${of('tz')}::text`,
    (of) => `${of('bool')}::text`,
    (of) => `lpad(${of('text')}, 4, '*')`,
    (of) => `reverse(${of('text')})`,
    (of) => `split_part(${of('text')}, ' ', 1)`,
    (of) => `concat(${of('text')}, ${of('int')}, ${of('bool')})`,
    (of) => `to_char(${of('ts')}, 'YYYY-MM-DD Mon HH24:MI:SS.MS')`,
    (of) => `to_char(${of('num')} % 1000, 'FM990.0')`,
    (of) => `regexp_replace(${of('text')}, '[a-z]+', '<\\&>')`,
  ],
  date: [
    (of) => `(${of('date')} - 31)`,
    (of) => `${of('ts')}::date`,
    (of) => `make_date(2024, 1 + abs(${of('int')} % 12), 28)`,
  ],
  ts: [
    (of) => `(${of('ts')} + ${of('iv')})`,
    (of) => `date_trunc('week', ${of('ts')})`,
    (of) => `date_trunc('quarter', ${of('ts')})`,
    (of) => `(${of('date')} - ${of('iv')})`,
    (of) => `(${of('tz')} AT TIME ZONE 'Europe/Paris')`,
    (of) => `date_bin('15 minutes', ${of('ts')}, timestamp '2000-01-01')`,
  ],
  tz: [
    (of) => `(${of('tz')} + ${of('iv')})`,
    (of) => `(${of('ts')} AT TIME ZONE 'America/New_York')`,
  ],
  iv: [
    (of) => `(${of('iv')} * 0.5)`,
    (of) => `(${of('iv')} + ${of('iv')})`,
    (of) => `(${of('ts')} - ${of('ts')})`,
    (of) => `justify_hours(${of('iv')})`,
    (of) => `age(${of('ts')}, ${of('ts')})`,
  ],
  bool: [
    (of) => `(${of('int')} < ${of('num')})`,
    (of) => `(${of('text')} >= ${of('text')})`,
    (of) => `(${of('ts')} = ${of('date')})`,
    (of) => `(${of('iv')} > ${of('iv')})`,
    (of) => `(${of('num')} IS DISTINCT FROM ${of('int')})`,
    (of) => `(${of('bool')} AND ${of('bool')})`,
    (of) => `(${of('bool')} OR ${of('bool')})`,
    (of) => `(NOT ${of('bool')})`,
    (of) => `(${of('text')} IS NULL)`,
    (of) => `(${of('int')} IN (1, ${of('int')}, 2))`,
    (of) => `(${of('int')} NOT IN (0, NULL, ${of('int')}))`,
    (of) => `(${of('text')} LIKE 'a%')`,
    (of) => `(${of('text')} NOT LIKE '_b%')`,
    (of) => `(${of('num')} BETWEEN ${of('num')} AND ${of('num')})`,
    (of) => `(${of('text')} ~ '^[a-z]')`,
    (of) => `(${of('bool')} IS NOT TRUE)`,
  ],
};

/** Kinds whose equal values look equal, so that it does not matter which one stands for a group. */
const keyKinds: readonly Kind[] = ['int', 'big', 'text', 'date', 'ts', 'tz', 'bool'];
const joinKinds: readonly Kind[] = ['int', 'int', 'text', 'num', 'date'];

export class RandomQueries {
  readonly #random: (below: number) => number;
  #aliases = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
  }

  /** Rows of VALUES for a table; `id` is the primary key. */
  row(table: 'w' | 'u', id: number): string {
    const names = Object.keys(tableColumns[table] ?? {}).slice(1);
    return `(${[String(id), ...names.map((name) => this.#pick(domains[name] ?? []))].join(', ')})`;
  }

  /** A statement that changes some rows of one of the tables. */
  change(id: number): string {
    const table = this.#pick(['w', 'u'] as const);
    const name = this.#pick(Object.keys(tableColumns[table] ?? {}).slice(1));
    return this.#pick([
      () => `INSERT INTO ${table} VALUES ${this.row(table, id)}, ${this.row(table, id + 1)}`,
      () =>
        `UPDATE ${table} SET ${name} = ${this.#pick(domains[name] ?? [])} WHERE id % 3 = ${this.#random(3)}`,
      () => `DELETE FROM ${table} WHERE id % 4 = ${this.#random(4)}`,
    ])();
  }

  query(): string {
    const { sql, columns } = this.#select(2);
    if (!this.#chance(12)) return sql;
    const keys = columns.map((_, i) => `${i + 1}${this.#pick(['', ' DESC', ' NULLS FIRST'])}`);
    return `${sql} ORDER BY ${keys.join(', ')} LIMIT ${1 + this.#random(6)}`;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)] as Item;
  }

  #chance(percent: number): boolean {
    return this.#random(100) < percent;
  }

  #alias(): string {
    return `x${this.#aliases++}`;
  }

  #column(columns: readonly Column[], kind: Kind): string {
    const fitting = columns.filter((column) => column.kind === kind);
    return fitting.length === 0 ? this.#pick(literals[kind]) : this.#pick(fitting).sql;
  }

  #expression(columns: readonly Column[], kind: Kind, depth: number): string {
    if (depth <= 0 || this.#chance(30)) return this.#column(columns, kind);
    const of: Of = (inner) => this.#expression(columns, inner, depth - 1);
    if (this.#chance(8)) {
      return `CASE WHEN ${of('bool')} THEN ${of(kind)} ${this.#chance(60) ? `ELSE ${of(kind)} ` : ''}END`;
    }
    if (this.#chance(5)) {
      const operand = this.#pick(joinKinds);
      const branch = (): string => `WHEN ${of(operand)} THEN ${of(kind)}`;
      return `CASE ${of(operand)} ${branch()} ${branch()} ELSE ${of(kind)} END`;
    }
    if (this.#chance(6)) return `coalesce(${of(kind)}, ${of(kind)})`;
    if (this.#chance(4)) return `nullif(${of(kind)}, ${of(kind)})`;
    return this.#pick(makers[kind])(of);
  }

  #table(name: 'w' | 'u'): Source {
    const alias = this.#alias();
    const columns = Object.entries(tableColumns[name] ?? {});
    return {
      sql: `${name} AS ${alias}`,
      columns: columns.map(([column, kind]) => ({ sql: `${alias}.${column}`, kind })),
    };
  }

  #source(depth: number, derivedPercent: number): Source {
    if (depth <= 0 || !this.#chance(derivedPercent)) {
      return this.#table(this.#chance(60) ? 'w' : 'u');
    }
    const alias = this.#alias();
    const { sql, columns } = this.#select(depth - 1);
    return {
      sql: `(${sql}) AS ${alias}`,
      columns: columns.map(({ sql: name, kind }) => ({ sql: `${alias}.${name}`, kind })),
    };
  }

  #from(depth: number): Source {
    let from = this.#source(depth, 15);
    for (let joins = this.#pick([0, 0, 0, 1, 1, 2]); joins > 0; joins--) {
      const right = this.#source(depth, 20);
      const kind = this.#pick(joinKinds);
      const op = this.#pick(['=', '=', '=', '<', 'IS NOT DISTINCT FROM']);
      // PostgreSQL merges full joins only by equality of two columns.
      const isPlain =
        op === '=' && [from, right].every((s) => s.columns.some((c) => c.kind === kind));
      const types = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', ...(isPlain ? ['FULL JOIN'] : [])];
      const type = this.#pick(types);
      const columns = [...from.columns, ...right.columns];
      const also =
        type !== 'FULL JOIN' && this.#chance(20)
          ? ` AND ${this.#expression(columns, 'bool', 1)}`
          : '';
      const on = `${this.#column(from.columns, kind)} ${op} ${this.#column(right.columns, kind)}${also}`;
      from = { sql: `${from.sql} ${type} ${right.sql} ON ${on}`, columns };
    }
    return from;
  }

  /** A condition with a query inside. */
  #subquery(columns: readonly Column[]): string {
    const inner = this.#table(this.#chance(50) ? 'w' : 'u');
    const kind = this.#pick(joinKinds.filter((one) => one !== 'date'));
    const left = this.#column(columns, kind);
    const right = this.#column(inner.columns, kind);
    const scope = this.#chance(40) ? [...inner.columns, ...columns] : inner.columns;
    const where = this.#chance(60) ? ` WHERE ${this.#expression(scope, 'bool', 1)}` : '';
    return this.#pick([
      `${left} IN (SELECT ${right} FROM ${inner.sql}${where})`,
      `${left} NOT IN (SELECT ${right} FROM ${inner.sql}${where})`,
      `EXISTS (SELECT 1 FROM ${inner.sql} WHERE ${right} = ${left})`,
      `NOT EXISTS (SELECT 1 FROM ${inner.sql} WHERE ${right} = ${left})`,
      `${left} > (SELECT max(${right}) FROM ${inner.sql}${where})`,
      `${left} <= (SELECT min(${right}) FROM ${inner.sql}${where})`,
      `${left} < ALL (SELECT ${right} FROM ${inner.sql}${where})`,
      `${left} >= ANY (SELECT ${right} FROM ${inner.sql}${where})`,
    ]);
  }

  #aggregate(columns: readonly Column[]): Column {
    const one = (kind: Kind): string => this.#expression(columns, kind, 1);
    const filter = this.#chance(15) ? ` FILTER (WHERE ${one('bool')})` : '';
    const distinct = this.#chance(25) ? 'DISTINCT ' : '';
    const made = this.#pick<() => Column>([
      () => ({ sql: 'count(*)', kind: 'big' }),
      () => ({ sql: `count(${distinct}${one(this.#pick(keyKinds))})`, kind: 'big' }),
      () => ({ sql: `sum(${distinct}${one('int')})`, kind: 'big' }),
      () => ({ sql: `sum(${one('num')})`, kind: 'num' }),
      () => ({ sql: `avg(${one(this.#pick(['int', 'num', 'big']))})`, kind: 'num' }),
      () => {
        const kind = this.#pick<Kind>(['int', 'big', 'text', 'date', 'ts', 'tz']);
        return { sql: `${this.#pick(['min', 'max'])}(${one(kind)})`, kind };
      },
      () => ({ sql: `${this.#pick(['bool_and', 'bool_or'])}(${one('bool')})`, kind: 'bool' }),
      () => {
        const value = one('text');
        return { sql: `string_agg(${value}, ',' ORDER BY ${value} DESC)`, kind: 'text' };
      },
      () => ({ sql: `sum(${one('iv')})`, kind: 'iv' }),
    ])();
    return { ...made, sql: `${made.sql}${filter}` };
  }

  #select(depth: number): Source {
    const from = this.#from(depth);
    const tests: string[] = [];
    if (this.#chance(50)) tests.push(this.#expression(from.columns, 'bool', 2));
    if (this.#chance(20)) tests.push(this.#subquery(from.columns));
    const where = tests.length === 0 ? '' : ` WHERE ${tests.join(' AND ')}`;
    const isGrouped = this.#chance(35);
    const values = isGrouped ? this.#groupValues(from) : this.#rowValues(from);
    const named = values.map((value) => ({ ...value, name: this.#alias() }));
    const list = named.map(({ sql, name }) => `${sql} AS ${name}`).join(', ');
    const isDistinct =
      !isGrouped && values.every(({ kind }) => keyKinds.includes(kind)) && this.#chance(40);
    const keys = isGrouped ? values.filter((value) => value.sql.startsWith('x')) : [];
    const group = keys.length === 0 ? '' : ` GROUP BY ${keys.map((key) => key.sql).join(', ')}`;
    const having = isGrouped && this.#chance(20) ? ' HAVING count(*) > 1' : '';
    return {
      sql: `SELECT ${isDistinct ? 'DISTINCT ' : ''}${list} FROM ${from.sql}${where}${group}${having}`,
      columns: named.map(({ name, kind }) => ({ sql: name, kind })),
    };
  }

  /** Columns to group by, then aggregates. */
  #groupValues(from: Source): Column[] {
    const candidates = from.columns.filter(({ kind }) => keyKinds.includes(kind));
    const keys =
      candidates.length === 0
        ? []
        : Array.from({ length: this.#random(3) }, () => this.#pick(candidates));
    const aggregates = Array.from({ length: 1 + this.#random(3) }, () =>
      this.#aggregate(from.columns),
    );
    return [...keys, ...aggregates];
  }

  #rowValues(from: Source): Column[] {
    const kinds = Object.keys(makers) as Kind[];
    const values = Array.from({ length: 1 + this.#random(4) }, (): Column => {
      const kind = this.#pick(kinds);
      return { sql: this.#expression(from.columns, kind, 3), kind };
    });
    if (!this.#chance(10)) return values;
    const inner = this.#table('u');
    const asked = `max(${this.#column(inner.columns, 'int')})`;
    const on = `${this.#column(inner.columns, 'int')} = ${this.#column(from.columns, 'int')}`;
    return [...values, { sql: `(SELECT ${asked} FROM ${inner.sql} WHERE ${on})`, kind: 'int' }];
  }
}
