/** Random expressions of a kind over the columns in scope, with queries inside. */
import {
  type Column,
  type Context,
  isExactKind,
  type Kind,
  type Scope,
  totalOrder,
} from './context.ts';

type Of = (kind: Kind) => string;

const literals: Readonly<Record<Kind, readonly string[]>> = {
  int: ['0', '1', '2', '3', '(-1)'],
  big: ['1::bigint', '2::bigint'],
  num: ['1.5', '0.00', '(-2.25)'],
  dbl: ['0.5::float8', '2::float8'],
  text: ["'a'::text", "''::text", "'ab'::text", "'b'::text"],
  date: ["date '2024-02-29'", "date '2024-03-01'"],
  ts: ["timestamp '2024-02-29 12:00'", "timestamp '2024-03-01'"],
  bool: ['true', 'false', 'NULL::boolean'],
  ints: ['ARRAY[1, 2]', "'{}'::int[]", 'ARRAY[0, NULL, 1]'],
  json: [`'{"a": 1, "b": [1, null, "x"]}'::jsonb`, `'[1, 2]'::jsonb`],
};

/** What gives a value of each kind. Nothing here fails over the values that the tables have. */
const makers: Readonly<Record<Kind, readonly ((of: Of) => string)[]>> = {
  int: [
    (of) => `(${of('int')} + ${of('int')})`,
    (of) => `(${of('int')} - 1)`,
    (of) => `(${of('int')} * 2)`,
    (of) => `(${of('int')} % 2)`,
    (of) => `(${of('int')} / 2)`,
    (of) => `length(${of('text')})`,
    (of) => `abs(${of('int')})`,
    (of) => `(${of('date')} - ${of('date')})`,
    (of) => `extract(day FROM ${of('ts')})::int`,
    (of) => `(${of('bool')})::int`,
    (of) => `greatest(${of('int')}, ${of('int')})`,
    (of) => `cardinality(${of('ints')})`,
    (of) => `(${of('ints')})[1]`,
    (of) => `least(${of('int')}, ${of('int')}, 2)`,
  ],
  big: [(of) => `(${of('int')}::bigint + ${of('big')})`, (of) => `(${of('big')} % 3)`],
  num: [
    (of) => `(${of('num')} + ${of('num')})`,
    (of) => `(${of('num')} * 0.5)`,
    (of) => `round(${of('num')}, 1)`,
    (of) => `(${of('int')}::numeric / 4)`,
    (of) => `abs(${of('num')})`,
    (of) => `(${of('big')} - ${of('num')})`,
  ],
  dbl: [
    (of) => `(${of('dbl')} + ${of('int')})`,
    (of) => `(${of('dbl')} * 2)`,
    (of) => `${of('int')}::float8`,
    (of) => `abs(${of('dbl')})`,
  ],
  text: [
    (of) => `upper(${of('text')})`,
    (of) => `(${of('text')} || ${of('text')})`,
    (of) => `(${of('text')} || ${of('int')})`,
    (of) => `left(${of('text')}, 1)`,
    (of) => `${of('int')}::text`,
    (of) => `${of('bool')}::text`,
    (of) => `${of('num')}::text`,
    (of) => `concat(${of('text')}, '-', ${of('date')})`,
    (of) => `(${of('json')} ->> 'a')`,
    (of) => `array_to_string(${of('ints')}, ',', '*')`,
  ],
  date: [(of) => `(${of('date')} + 1)`, (of) => `${of('ts')}::date`],
  ts: [
    (of) => `(${of('ts')} + interval '1 day')`,
    (of) => `date_trunc('day', ${of('ts')})`,
    (of) => `(${of('date')} + interval '12 hours')`,
  ],
  bool: [
    (of) => `(${of('int')} < ${of('int')})`,
    (of) => `(${of('int')} = ${of('big')})`,
    (of) => `(${of('num')} >= ${of('int')})`,
    (of) => `(${of('text')} <= ${of('text')})`,
    (of) => `(${of('text')} <> 'a')`,
    (of) => `(${of('ts')} > ${of('date')})`,
    (of) => `(${of('int')} IS DISTINCT FROM ${of('int')})`,
    (of) => `(${of('bool')} AND ${of('bool')})`,
    (of) => `(${of('bool')} OR ${of('bool')})`,
    (of) => `(NOT ${of('bool')})`,
    (of) => `(${of('text')} IS NULL)`,
    (of) => `(${of('int')} IS NOT NULL)`,
    (of) => `(${of('int')} IN (1, ${of('int')}, 2))`,
    (of) => `(${of('text')} NOT IN ('a', ${of('text')}))`,
    (of) => `(${of('text')} LIKE 'a%')`,
    (of) => `(${of('int')} BETWEEN 0 AND ${of('int')})`,
    (of) => `(${of('bool')} IS NOT TRUE)`,
    (of) => `((${of('int')}, ${of('text')}) = (${of('int')}, ${of('text')}))`,
    (of) => `(${of('int')} = ANY (${of('ints')}))`,
    (of) => `(${of('dbl')} < ${of('num')})`,
  ],
  ints: [
    (of) => `ARRAY[${of('int')}, ${of('int')}]`,
    (of) => `(${of('ints')} || ${of('int')})`,
    (of) => `array_remove(${of('ints')}, ${of('int')})`,
  ],
  json: [
    (of) => `jsonb_build_object('a', ${of('int')}, 'b', ${of('text')})`,
    (of) => `to_jsonb(${of('ints')})`,
    (of) => `(${of('json')} -> 'b')`,
  ],
};

/** What a column of another kind can be made into; nothing where a constant has to do. */
const makeshifts: Readonly<
  Partial<Record<Kind, Readonly<Partial<Record<Kind, (sql: string) => string>>>>>
> = {
  int: {
    big: (sql) => `(${sql} % 3)::int`,
    text: (sql) => `length(${sql})`,
    bool: (sql) => `(${sql})::int`,
    date: (sql) => `extract(day FROM ${sql})::int`,
  },
  big: { int: (sql) => `${sql}::bigint` },
  num: { int: (sql) => `(${sql} * 1.0)`, big: (sql) => `${sql}::numeric` },
  dbl: { int: (sql) => `${sql}::float8` },
  text: {
    int: (sql) => `${sql}::text`,
    date: (sql) => `${sql}::text`,
    bool: (sql) => `${sql}::text`,
  },
  date: { int: (sql) => `(date '2024-02-29' + ${sql})`, ts: (sql) => `${sql}::date` },
  ts: { date: (sql) => `${sql}::timestamp` },
  bool: {
    int: (sql) => `(${sql} > 0)`,
    text: (sql) => `(${sql} <> 'b')`,
    big: (sql) => `(${sql} IS NOT NULL)`,
  },
  ints: { int: (sql) => `ARRAY[${sql}, 1]` },
  json: { int: (sql) => `to_jsonb(${sql})`, text: (sql) => `jsonb_build_object('a', ${sql})` },
};

const CONSTANT_PERCENT = 5;

/** A column of the kind or what is made of another one; a constant now and then. */
export function leaf({ dice }: Context, scope: Scope, kind: Kind): string {
  if (dice.chance(CONSTANT_PERCENT)) return dice.pick(literals[kind]);
  const own = scope.own.filter((column) => column.kind === kind);
  const outer = scope.outer.filter((column) => column.kind === kind);
  if (outer.length > 0 && (own.length === 0 || dice.chance(35))) return dice.pick(outer).sql;
  if (own.length > 0) return dice.pick(own).sql;
  const others = [...scope.own, ...scope.outer].flatMap((column) => {
    const make = makeshifts[kind]?.[column.kind];
    return make === undefined ? [] : [make(column.sql)];
  });
  return dice.pick(others.length > 0 ? others : literals[kind]);
}

export function expression(context: Context, scope: Scope, kind: Kind, depth: number): string {
  const { dice } = context;
  if (depth <= 0 || dice.chance(30)) return leaf(context, scope, kind);
  const of: Of = (inner) => expression(context, scope, inner, depth - 1);
  return dice.weighted([
    [70, () => dice.pick(makers[kind])(of)],
    [8, () => caseOf(context, of, kind)],
    [7, () => `coalesce(${of(kind)}, ${of(kind)})`],
    [3, () => `nullif(${of(kind)}, ${of(kind)})`],
    [
      kind === 'json' ? 0 : 9,
      () => (kind === 'bool' ? condition(context, scope) : scalar(context, scope, kind)),
    ],
  ]);
}

function caseOf({ dice }: Context, of: Of, kind: Kind): string {
  if (dice.chance(40)) {
    return `CASE ${of('int')} WHEN ${of('int')} THEN ${of(kind)} WHEN 1 THEN ${of(kind)} ELSE ${of(kind)} END`;
  }
  return `CASE WHEN ${of('bool')} THEN ${of(kind)} ${dice.chance(60) ? `ELSE ${of(kind)} ` : ''}END`;
}

/** What queries inside of this one may refer to. */
export function outerOf({ dice }: Context, scope: Scope): readonly Column[] {
  const all = [...scope.own.filter((column) => column.plain), ...scope.outer];
  return dice.chance(70) ? all : [];
}

/** A subquery of one column and at most one row. */
export function scalar(context: Context, scope: Scope, kind: Kind): string {
  const { dice } = context;
  if (context.relationsLeft <= 0) return leaf(context, scope, kind);
  const outer = outerOf(context, scope);
  const wish = { depth: 1, outer, kinds: [kind] };
  if (dice.chance(12) && kind === 'ints') {
    const { sql, columns } = context.query(context, { ...wish, kinds: ['int'] });
    const name = context.name('q');
    return `ARRAY(SELECT ${name}.${columns[0]?.sql} FROM (${sql}) AS ${name} ORDER BY 1)`;
  }
  if (dice.chance(25) && kind === 'big') {
    const { sql } = context.query(context, { ...wish, kinds: undefined });
    return `(SELECT count(*) FROM (${sql}) AS ${context.name('q')})`;
  }
  const { sql, columns } = context.query(context, wish);
  const name = context.name('q');
  const [column] = columns.map((one) => ({ ...one, sql: `${name}.${one.sql}` })) as [Column];
  if (dice.chance(50) && isExactKind(kind) && !['bool', 'ints', 'json'].includes(kind)) {
    return `(SELECT ${dice.pick(['max', 'min'])}(${column.sql}) FROM (${sql}) AS ${name})`;
  }
  const order = totalOrder(context, [column]).join(', ');
  const offset = dice.chance(25) ? ' OFFSET 1' : '';
  return `(SELECT ${column.sql} FROM (${sql}) AS ${name} ORDER BY ${order} LIMIT 1${offset})`;
}

/** A condition with a query inside. */
export function condition(context: Context, scope: Scope): string {
  const { dice } = context;
  if (context.relationsLeft <= 0) return leaf(context, scope, 'bool');
  const outer = outerOf(context, scope);
  const kind = dice.pick<Kind>(['int', 'int', 'text', 'big', 'num', 'date']);
  const left = (): string => expression(context, scope, kind, 1);
  const inner = (): string => context.query(context, { depth: 1, outer, kinds: [kind] }).sql;
  const not = dice.pick(['', 'NOT ']);
  return dice.weighted([
    [4, () => `(${left()} ${not}IN (${inner()}))`],
    [4, () => `(${not}EXISTS (${context.query(context, { depth: 1, outer }).sql}))`],
    [
      3,
      () =>
        `(${left()} ${dice.pick(['=', '<>', '<', '<=', '>', '>='])} ${dice.pick(['ANY', 'ALL'])} (${inner()}))`,
    ],
    [2, () => `(${left()} ${dice.pick(['=', '<', '>'])} ${scalar(context, scope, kind)})`],
    [
      1,
      () => {
        const { sql } = context.query(context, { depth: 1, outer, kinds: ['int', kind] });
        return `((${expression(context, scope, 'int', 1)}, ${left()}) ${not}IN (${sql}))`;
      },
    ],
  ]);
}
