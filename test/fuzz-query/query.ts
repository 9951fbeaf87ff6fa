/** Random queries, nested in each other. */
import { aggregate, windowCalls } from './aggregate.ts';
import {
  type Column,
  type Context,
  direction,
  EXACT_KINDS,
  isExactKind,
  type Kind,
  named,
  qualified,
  type Relation,
  type Scope,
  type Source,
  totalOrder,
  type Wish,
} from './context.ts';
import { condition, expression, leaf } from './expression.ts';
import { from } from './from.ts';

const OUTPUT_KINDS: readonly Kind[] = [
  ...EXACT_KINDS,
  'int',
  'int',
  'text',
  'big',
  'num',
  'dbl',
  'ints',
  'json',
];
/** Kinds that windows and sorts can have. */
const sortable = (kind: Kind): boolean => kind !== 'json';

/** A whole query. The columns' `sql` are their names in the result. */
export function randomQuery(context: Context): Source {
  context.query = query;
  context.begin();
  return query(context, { depth: context.dice.pick([1, 2, 2, 3]), outer: [] });
}

function query(context: Context, wish: Wish): Source {
  const { depth } = wish;
  const nests = depth > 0 && context.relationsLeft > 1;
  return context.dice.weighted([
    [nests ? 55 : 90, () => select(context, wish)],
    [nests ? 14 : 3, () => setOperation(context, wish)],
    [9, () => topRows(context, wish)],
    [nests ? 8 : 0, () => withItem(context, wish)],
    [nests ? 4 : 0, () => recursive(context, wish)],
    [nests ? 9 : 0, () => ranked(context, wish)],
    [5, () => distinctOn(context, wish)],
    [context.relationsLeft > 1 ? 6 : 0, () => beyond(context, wish)],
  ]);
}

function kindsOf({ dice }: Context, { kinds }: Wish, among: readonly Kind[]): readonly Kind[] {
  return kinds ?? dice.times(dice.between(1, 4), () => dice.pick(among));
}

function select(context: Context, wish: Wish): Source {
  const { dice } = context;
  const source = from(context, wish);
  const scope = { own: source.columns, outer: wish.outer };
  const tests: string[] = [];
  const isCorrelated = wish.outer.length > 0;
  if (dice.chance(isCorrelated ? 50 : 35))
    tests.push(lenient(context, scope, expression(context, scope, 'bool', 2)));
  if (dice.chance(12)) tests.push(lenient(context, scope, condition(context, scope)));
  if (isCorrelated && dice.chance(50)) {
    const kind = dice.pick<Kind>(['int', 'text', 'int']);
    tests.push(
      `${leaf(context, { own: source.columns, outer: [] }, kind)} = ${leaf(context, { own: [], outer: wish.outer }, kind)}`,
    );
  }
  const where = tests.length === 0 ? '' : ` WHERE ${tests.join(' AND ')}`;
  return dice.chance(35)
    ? grouped(context, wish, source, where)
    : plain(context, wish, source, where);
}

/** A condition that most rows meet two times in three: a query without rows finds nothing. */
function lenient(context: Context, scope: Scope, test: string): string {
  return context.dice.weighted([
    [1, () => test],
    [1, () => `(${test} IS NOT FALSE)`],
    [1, () => `(${test} OR ${leaf(context, scope, 'int')} IN (0, 1, 2))`],
  ]);
}

function list(
  context: Context,
  items: readonly Column[],
): { readonly text: string; readonly columns: Column[] } {
  const names = items.map(() => context.name('c'));
  return {
    text: items.map(({ sql }, i) => `${sql} AS ${names[i]}`).join(', '),
    columns: named(names, items),
  };
}

/** An expression over the scope; a bare column keeps what is known of it. */
function value(
  context: Context,
  own: readonly Column[],
  outer: readonly Column[],
  kind: Kind,
): Column {
  const sql = expression(context, { own, outer }, kind, 2);
  const column = own.find((one) => one.sql === sql);
  return column ?? { sql, kind, exact: isExactKind(kind), plain: false };
}

function plain(context: Context, wish: Wish, source: Source, where: string): Source {
  const { dice } = context;
  const windows =
    source.columns.length > 0 &&
    source.columns.length < 14 &&
    source.columns.every(({ kind }) => sortable(kind)) &&
    dice.chance(25);
  const windowCall = windowCalls(context, source.columns);
  const items = kindsOf(context, wish, OUTPUT_KINDS).map((kind) =>
    windows && dice.chance(60) && kind !== 'ints' && kind !== 'json'
      ? windowCall(kind)
      : value(context, source.columns, wish.outer, kind),
  );
  const { text, columns } = list(context, items);
  const distinct =
    items.every(({ exact, kind }) => exact && sortable(kind)) && dice.chance(20) ? 'DISTINCT ' : '';
  return { sql: `SELECT ${distinct}${text} FROM ${source.sql}${where}`, columns };
}

function grouped(context: Context, wish: Wish, source: Source, where: string): Source {
  const { dice } = context;
  const candidates = source.columns.filter(({ exact, kind }) => exact && sortable(kind));
  const keys = dice.times(dice.pick([0, 1, 1, 1, 2, 2, 3]), (): Column => {
    if (candidates.length > 0 && !dice.chance(25)) return dice.pick(candidates);
    const kind = dice.pick<Kind>(['int', 'text', 'bool']);
    return {
      sql: expression(context, { own: source.columns, outer: [] }, kind, 1),
      kind,
      exact: true,
      plain: false,
    };
  });
  // A constant is not a key in GROUP BY, but the place of a column or an error.
  const distinctKeys = keys.filter(
    ({ sql }, i) => /[a-z]\d/.test(sql) && keys.findIndex((key) => key.sql === sql) === i,
  );
  const aggregates = dice.times(dice.between(1, 3), () => aggregate(context, source.columns));
  const groups = [...distinctKeys, ...aggregates];
  const windowCall = windowCalls(context, groups);
  const canSort = groups.every((group) => sortable(group.kind));
  const items = kindsOf(context, wish, OUTPUT_KINDS).map((kind): Column => {
    if (dice.chance(10) && canSort && sortable(kind) && kind !== 'ints') return windowCall(kind);
    if (dice.chance(40)) return aggregate(context, source.columns, kind);
    return value(context, groups, wish.outer, kind);
  });
  const { text, columns } = list(context, items);
  const having = dice.chance(20)
    ? ` HAVING ${expression(context, { own: groups, outer: wish.outer }, 'bool', 2)}`
    : '';
  return {
    sql: `SELECT ${text} FROM ${source.sql}${where}${groupBy(context, distinctKeys)}${having}`,
    columns,
  };
}

function groupBy({ dice }: Context, keys: readonly Column[]): string {
  if (keys.length === 0) return dice.chance(20) ? ' GROUP BY ()' : '';
  const texts = keys.map(({ sql }) => sql);
  const all = texts.join(', ');
  return ` GROUP BY ${dice.weighted([
    [70, () => all],
    [8, () => `ROLLUP (${all})`],
    [8, () => `CUBE (${all})`],
    [
      8,
      () =>
        `GROUPING SETS (${dice.shuffled([`(${all})`, '()', ...texts.map((text) => `(${text})`)]).join(', ')})`,
    ],
    [4, () => `${texts[0]}, ROLLUP (${all})`],
  ])}`;
}

function setOperation(context: Context, wish: Wish): Source {
  const { dice } = context;
  const all = dice.chance(50) ? ' ALL' : '';
  const op = dice.pick(['UNION', 'UNION', 'INTERSECT', 'EXCEPT']);
  const isExact = wish.kinds?.every(isExactKind) ?? true;
  const word = isExact ? `${op}${all}` : 'UNION ALL';
  const kinds = kindsOf(context, wish, word === 'UNION ALL' ? OUTPUT_KINDS : EXACT_KINDS);
  const inner = { depth: wish.depth - 1, outer: wish.outer, kinds };
  const left = query(context, inner);
  const right = query(context, inner);
  const columns = left.columns.map((column, i) => ({
    ...column,
    exact: column.exact && (right.columns[i]?.exact ?? false),
  }));
  // Two random queries have few rows in common.
  const isMeeting = op === 'INTERSECT' && dice.chance(70);
  const other = isMeeting ? `(${left.sql}) UNION ALL (${right.sql})` : right.sql;
  return { sql: `(${left.sql}) ${word} (${other})`, columns };
}

/** The first rows of a query, by an order that tells them all apart, or WITH TIES. */
function topRows(context: Context, wish: Wish): Source {
  const { dice } = context;
  const { sql, columns } = query(context, { ...wish, depth: wish.depth - 1 });
  const alias = context.name('o');
  const inner = qualified(alias, columns);
  const sorted = inner.filter(({ kind }) => sortable(kind));
  const rest = inner.filter(({ kind }) => !sortable(kind)).map((column) => `${column.sql}::text`);
  const limit = dice.pick([1, 1, 2, 3, 5]);
  const all = [...totalOrder(context, sorted), ...rest].join(', ');
  const bound = dice.weighted([
    [5, () => ` ORDER BY ${all} LIMIT ${limit}`],
    [2, () => ` ORDER BY ${all} LIMIT ${limit} OFFSET ${dice.between(1, 2)}`],
    [1, () => ` ORDER BY ${all} OFFSET ${dice.between(1, 2)}`],
    [
      5,
      () =>
        ` ORDER BY ${dice.pick(inner.map((column) => (sortable(column.kind) ? column.sql : `${column.sql}::text`)))}${direction(context)} FETCH FIRST ${limit} ROWS WITH TIES`,
    ],
  ]);
  const names = columns.map((column) => column.sql);
  return {
    sql: `SELECT ${inner.map((column) => column.sql).join(', ')} FROM (${sql}) AS ${alias}${bound}`,
    columns: named(names, columns),
  };
}

function distinctOn(context: Context, wish: Wish): Source {
  const { dice } = context;
  const { sql, columns } = query(context, { ...wish, depth: wish.depth - 1 });
  const alias = context.name('o');
  const inner = qualified(alias, columns);
  const keys = inner.filter(({ exact, kind }) => exact && sortable(kind));
  if (keys.length === 0) return { sql, columns };
  const key = dice.pick(keys).sql;
  const rest = [
    ...totalOrder(
      context,
      inner.filter((column) => sortable(column.kind)),
    ),
    ...inner.filter(({ kind }) => !sortable(kind)).map((column) => `${column.sql}::text`),
  ];
  return {
    sql: `SELECT DISTINCT ON (${key}) ${inner.map((column) => column.sql).join(', ')} FROM (${sql}) AS ${alias} ORDER BY ${key}${direction(context)}, ${rest.join(', ')}`,
    columns,
  };
}

/** The rows on one side of a single value, which moves. */
function beyond(context: Context, wish: Wish): Source {
  const { dice } = context;
  const { sql, columns } = query(context, { ...wish, depth: wish.depth - 1 });
  const [alias, one] = [context.name('o'), context.name('q')];
  const inner = qualified(alias, columns);
  const compared = inner.filter(({ exact, kind }) => exact && sortable(kind) && kind !== 'bool');
  if (compared.length === 0) return { sql, columns };
  const { sql: column, kind } = dice.pick(compared);
  const other = query(context, { depth: 0, outer: [], kinds: [kind] });
  const found = `${one}.${other.columns[0]?.sql}`;
  const extremes = [`max(${found})`, `min(${found})`];
  // An extreme stays where it is for most commits.
  const moving = kind === 'int' ? ['(count(*) % 4)::int', `(sum(${found}) % 4)::int`] : [];
  const limit = `SELECT ${dice.pick([...extremes, ...moving, ...moving])} FROM (${other.sql}) AS ${one}`;
  return {
    sql: `SELECT ${inner.map((item) => item.sql).join(', ')} FROM (${sql}) AS ${alias} WHERE ${column} ${dice.pick(['<', '<=', '>', '>='])} (${limit})`,
    columns: named(
      columns.map((item) => item.sql),
      columns,
    ),
  };
}

/** The first rows of each partition, by a bound on a rank. */
function ranked(context: Context, wish: Wish): Source {
  const { dice } = context;
  const { sql, columns } = query(context, { ...wish, depth: wish.depth - 1 });
  const [inside, alias, rank] = [context.name('o'), context.name('o'), context.name('c')];
  const inner = qualified(inside, columns);
  if (!inner.every(({ kind }) => sortable(kind))) return { sql, columns };
  const keys = inner.filter(({ exact }) => exact);
  const partition =
    keys.length > 0 && dice.chance(45) ? `PARTITION BY ${dice.pick(keys).sql} ` : '';
  const call = dice.pick(['row_number', 'rank', 'rank', 'dense_rank']);
  const order =
    call === 'row_number' || keys.length === 0
      ? totalOrder(context, inner).join(', ')
      : `${dice.pick(keys).sql}${direction(context)}`;
  const bound = dice.pick([`<= ${dice.between(1, 3)}`, '= 1', '< 3', 'BETWEEN 1 AND 2', '= 2']);
  const names = columns.map((column) => `${alias}.${column.sql}`).join(', ');
  return {
    sql: `SELECT ${names} FROM (SELECT ${inside}.*, ${call}() OVER (${partition}ORDER BY ${order}) AS ${rank} FROM (${sql}) AS ${inside}) AS ${alias} WHERE ${alias}.${rank} ${bound}`,
    columns,
  };
}

function withItem(context: Context, wish: Wish): Source {
  const body = query(context, { depth: wish.depth - 1, outer: wish.outer });
  const name = context.name('w');
  const main = within(context, { name, columns: body.columns }, { ...wish, depth: wish.depth - 1 });
  return { sql: `WITH ${name} AS (${body.sql}) ${main.sql}`, columns: main.columns };
}

function within(context: Context, relation: Relation, wish: Wish): Source {
  context.relations.push(relation);
  context.relationsLeft += 1;
  const made = query(context, wish);
  context.relations.pop();
  if (!/^\(*WITH/.test(made.sql)) return made;
  const alias = context.name('q');
  return { ...made, sql: `SELECT ${alias}.* FROM (${made.sql}) AS ${alias}` };
}

const ROUNDS = 3;

/** A few rounds along an equality, with their number. */
function recursive(context: Context, wish: Wish): Source {
  const { dice } = context;
  const first = query(context, { depth: 0, outer: wish.outer, kinds: ['int'] });
  const [name, base, value0, round] = [
    context.name('w'),
    context.name('d'),
    context.name('n'),
    context.name('n'),
  ];
  const self: Relation = {
    name,
    columns: [value0, round].map((sql): Column => ({ sql, kind: 'int', exact: true, plain: true })),
  };
  const step = from(context, { depth: 0, outer: wish.outer });
  const alias = context.name('r');
  const own = qualified(alias, self.columns);
  const on = `${leaf(context, { own: step.columns, outer: [] }, 'int')} = ${own[0]?.sql}`;
  const next = expression(context, { own: [...step.columns, ...own], outer: [] }, 'int', 1);
  const union = dice.pick(['UNION', 'UNION ALL']);
  const also = dice.chance(30)
    ? ` AND ${expression(context, { own: [...step.columns, ...own], outer: [] }, 'bool', 1)}`
    : '';
  const body = `SELECT ${base}.${first.columns[0]?.sql}::int, 0 FROM (${first.sql}) AS ${base} ${union} SELECT (${next}) % 4, ${own[1]?.sql} + 1 FROM ${name} AS ${alias}, ${step.sql} WHERE ${own[1]?.sql} < ${ROUNDS} AND ${on}${also}`;
  const main = within(context, self, { ...wish, depth: wish.depth - 1 });
  return {
    sql: `WITH RECURSIVE ${name}(${value0}, ${round}) AS (${body}) ${main.sql}`,
    columns: main.columns,
  };
}
