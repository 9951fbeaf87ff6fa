/** Random aggregate calls and random window calls. */
import {
  type Column,
  type Context,
  direction,
  EXACT_KINDS,
  isExactKind,
  type Kind,
  type Scope,
  totalOrder,
} from './context.ts';
import { expression } from './expression.ts';

interface Made {
  readonly sql: string;
  readonly kind: Kind;
  readonly exact?: boolean;
}

const column = ({ sql, kind, exact }: Made): Column => ({
  sql,
  kind,
  exact: exact ?? isExactKind(kind),
  plain: false,
});

/** An aggregate that gives a value of `kind`, or of any kind, over the rows of `own`. */
export function aggregate(context: Context, own: readonly Column[], kind?: Kind): Column {
  const { dice } = context;
  const scope: Scope = { own, outer: [] };
  const one = (of: Kind): string => expression(context, scope, of, 1);
  const wanted =
    kind ?? dice.pick<Kind>([...EXACT_KINDS, 'big', 'big', 'num', 'dbl', 'ints', 'json']);
  const distinct = dice.chance(25) ? 'DISTINCT ' : '';
  const made = dice.pick(aggregateMakers[wanted])(context, one, own, distinct);
  const filter = dice.chance(20) ? ` FILTER (WHERE ${one('bool')})` : '';
  return column({ ...made, sql: `${made.sql}${filter}` });
}

type Maker = (
  context: Context,
  one: (kind: Kind) => string,
  own: readonly Column[],
  distinct: string,
) => Made;

const extreme =
  (kind: Kind): Maker =>
  ({ dice }, one) => ({ sql: `${dice.pick(['min', 'max'])}(${one(kind)})`, kind });

/** `percentile_disc` and `mode`, which take the first of the most frequent values. */
const ordered =
  (kind: Kind): Maker =>
  ({ dice }, one) => {
    const call = dice.pick(['percentile_disc(0.5)', 'percentile_disc(0)', 'mode()']);
    return { sql: `${call} WITHIN GROUP (ORDER BY ${one(kind)})`, kind };
  };

const collected =
  (call: string, kind: Kind): Maker =>
  (context, one, own, distinct) => {
    const value = one('int');
    const order =
      distinct !== '' ? `${value}${direction(context)}` : totalOrder(context, own).join(', ');
    return { sql: `${call}(${distinct}${value} ORDER BY ${order || value})`, kind };
  };

const aggregateMakers: Readonly<Record<Kind, readonly Maker[]>> = {
  int: [
    extreme('int'),
    extreme('int'),
    ordered('int'),
    ({ dice }, one) => ({
      sql: `${dice.pick(['bit_and', 'bit_or', 'bit_xor'])}(${one('int')})`,
      kind: 'int',
    }),
  ],
  big: [
    () => ({ sql: 'count(*)', kind: 'big' }),
    ({ dice }, one, _, distinct) => ({
      sql: `count(${distinct}${one(dice.pick([...EXACT_KINDS, 'num']))})`,
      kind: 'big',
    }),
    (_, one, __, distinct) => ({ sql: `sum(${distinct}${one('int')})`, kind: 'big' }),
    (_, one) => ({ sql: `rank(2) WITHIN GROUP (ORDER BY ${one('int')})`, kind: 'big' }),
  ],
  num: [
    (_, one) => ({ sql: `sum(${one('num')})`, kind: 'num' }),
    (_, one) => ({ sql: `avg(${one('num')})`, kind: 'num' }),
    (_, one, __, distinct) => ({ sql: `avg(${distinct}${one('int')})`, kind: 'num' }),
    (_, one) => ({ sql: `sum(${one('big')})`, kind: 'num', exact: true }),
    ({ dice }, one) => ({
      sql: `${dice.pick(['stddev_pop', 'variance', 'var_pop', 'stddev'])}(${one('int')})`,
      kind: 'num',
    }),
  ],
  dbl: [
    (_, one) => ({ sql: `sum(${one('dbl')})`, kind: 'dbl' }),
    (_, one) => ({
      sql: `percentile_cont(0.5) WITHIN GROUP (ORDER BY ${one('dbl')})`,
      kind: 'dbl',
    }),
  ],
  text: [
    extreme('text'),
    extreme('text'),
    ordered('text'),
    (context, one, own, distinct) => {
      const value = one('text');
      const order =
        distinct !== '' ? `${value}${direction(context)}` : totalOrder(context, own).join(', ');
      const separator = distinct !== '' ? "','" : context.dice.pick(["','", one('text')]);
      return {
        sql: `string_agg(${distinct}${value}, ${separator} ORDER BY ${order || value})`,
        kind: 'text',
      };
    },
  ],
  date: [extreme('date'), ordered('date')],
  ts: [extreme('ts')],
  bool: [
    ({ dice }, one) => ({
      sql: `${dice.pick(['bool_and', 'bool_or', 'every'])}(${one('bool')})`,
      kind: 'bool',
    }),
  ],
  ints: [collected('array_agg', 'ints')],
  json: [
    collected('jsonb_agg', 'json'),
    (_, one) => ({ sql: `jsonb_object_agg(coalesce(${one('text')}, '-'), 1)`, kind: 'json' }),
  ],
};

/**
 * Window calls of one select list. Those whose value depends on a row's place share one window: equal rows have no place of
 * their own, so that two such calls over different windows would have several answers.
 * @returns  a maker of a call over the rows of `own` that gives a value of `kind`, or of any kind.
 */
export function windowCalls(context: Context, own: readonly Column[]): (kind?: Kind) => Column {
  const { dice } = context;
  const keys = own.filter(({ exact, kind }) => exact && kind !== 'json');
  const partition = (): string =>
    keys.length > 0 && dice.chance(60)
      ? `PARTITION BY ${dice.times(dice.between(1, 2), () => dice.pick(keys).sql).join(', ')} `
      : '';
  const shared: Window = { partition: partition(), total: totalOrder(context, own).join(', ') };
  return (kind) =>
    windowCall(context, own, shared, dice.chance(50) ? shared.partition : partition(), kind);
}

interface Window {
  readonly partition: string;
  /** Tells all rows apart that differ; empty without columns. */
  readonly total: string;
}

function windowCall(
  context: Context,
  own: readonly Column[],
  shared: Window,
  partition: string,
  kind: Kind | undefined,
): Column {
  const { dice } = context;
  const keys = own.filter(({ exact, kind: of }) => exact && of !== 'json');
  const scope: Scope = { own, outer: [] };
  const one = (of: Kind): string => expression(context, scope, of, 1);
  const wanted = kind ?? dice.pick<Kind>([...EXACT_KINDS, 'int', 'big', 'big', 'num', 'dbl']);
  if (shared.total !== '' && dice.chance(45)) {
    const placed = placedCall(context, wanted, one);
    const frame = placed.frame ? rowsFrame(context) : '';
    return column({
      ...placed.made,
      sql: `${placed.made.sql} OVER (${shared.partition}ORDER BY ${shared.total}${frame})`,
    });
  }
  if (wanted === 'big' && keys.length > 0 && dice.chance(40)) {
    const call = dice.pick(['rank()', 'dense_rank()']);
    return column({
      sql: `${call} OVER (${partition}ORDER BY ${dice.pick(keys).sql}${direction(context)})`,
      kind: 'big',
    });
  }
  const called = plainAggregate(context, wanted, one);
  const over =
    shared.total !== '' && dice.chance(30)
      ? `${shared.partition}ORDER BY ${shared.total}${rowsFrame(context)}`
      : `${partition}${aggregateFrame(context, own)}`;
  return column({ ...called, sql: `${called.sql} OVER (${over})` });
}

/** A call whose value depends on the row's place. */
function placedCall(
  { dice }: Context,
  kind: Kind,
  one: (kind: Kind) => string,
): { readonly made: Made; readonly frame: boolean } {
  const still = (sql: string, of: Kind): { made: Made; frame: boolean } => ({
    made: { sql, kind: of },
    frame: false,
  });
  if (kind === 'big' && dice.chance(60)) return still('row_number()', 'big');
  if (kind === 'int' && dice.chance(25)) return still(`ntile(${dice.between(1, 3)})`, 'int');
  if (kind === 'dbl' && dice.chance(60))
    return still(dice.pick(['percent_rank()', 'cume_dist()']), 'dbl');
  const value = one(kind);
  return dice.weighted([
    [2, () => still(`lag(${value})`, kind)],
    [2, () => still(`lead(${value}, ${dice.between(0, 2)}, ${one(kind)})`, kind)],
    [
      3,
      () => ({
        made: {
          sql: `${dice.pick(['first_value', 'last_value'])}(${value})`,
          kind,
          exact: isExactKind(kind),
        },
        frame: true,
      }),
    ],
    [2, () => ({ made: { sql: `nth_value(${value}, ${dice.between(1, 3)})`, kind }, frame: true })],
  ]);
}

/** An aggregate that does not depend on the order of rows. */
function plainAggregate({ dice }: Context, kind: Kind, one: (kind: Kind) => string): Made {
  const filter = dice.chance(15) ? ` FILTER (WHERE ${one('bool')})` : '';
  const call = (): string => {
    if (kind === 'big')
      return dice.pick([
        () => 'count(*)',
        () => `count(${one('text')})`,
        () => `sum(${one('int')})`,
      ])();
    if (kind === 'num')
      return dice.pick([() => `sum(${one('num')})`, () => `avg(${one('int')})`])();
    if (kind === 'dbl') return `sum(${one('dbl')})`;
    if (kind === 'bool') return `${dice.pick(['bool_and', 'bool_or'])}(${one('bool')})`;
    return `${dice.pick(['min', 'max'])}(${one(kind)})`;
  };
  return { sql: `${call()}${filter}`, kind };
}

function rowsFrame({ dice }: Context): string {
  if (dice.chance(30)) return '';
  const exclude = dice.chance(20) ? ` EXCLUDE ${dice.pick(['CURRENT ROW', 'GROUP', 'TIES'])}` : '';
  const bounds = dice.pick([
    'UNBOUNDED PRECEDING AND CURRENT ROW',
    '1 PRECEDING AND 1 FOLLOWING',
    'CURRENT ROW AND UNBOUNDED FOLLOWING',
    'UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
    '2 PRECEDING AND 1 PRECEDING',
    '1 FOLLOWING AND 2 FOLLOWING',
  ]);
  // PostgreSQL takes the current row for the first (last) one that EXCLUDE TIES leaves of its peers, and NULL for its value where
  // the frame does not have it.
  const isAside =
    bounds === '2 PRECEDING AND 1 PRECEDING' || bounds === '1 FOLLOWING AND 2 FOLLOWING';
  return ` ROWS BETWEEN ${bounds}${isAside ? exclude.replace('TIES', 'GROUP') : exclude}`;
}

/** An order and a frame in which equal rows see the same. */
function aggregateFrame(context: Context, own: readonly Column[]): string {
  const { dice } = context;
  const sortable = own.filter(({ kind }) => kind !== 'json');
  if (sortable.length === 0 || dice.chance(25)) return '';
  const ints = sortable.filter(({ kind }) => kind === 'int');
  if (ints.length > 0 && dice.chance(30)) {
    const bounds = dice.pick([
      '1 PRECEDING AND 1 FOLLOWING',
      '2 PRECEDING AND CURRENT ROW',
      'CURRENT ROW AND 1 FOLLOWING',
    ]);
    return `ORDER BY ${dice.pick(ints).sql}${dice.pick(['', ' DESC'])} RANGE BETWEEN ${bounds}`;
  }
  const order = `ORDER BY ${dice.pick(sortable).sql}${direction(context)}`;
  return dice.weighted([
    [3, () => order],
    [
      2,
      () =>
        `${order} GROUPS BETWEEN ${dice.pick(['1 PRECEDING AND 1 FOLLOWING', 'CURRENT ROW AND 1 FOLLOWING', 'UNBOUNDED PRECEDING AND 1 PRECEDING'])}${dice.pick(['', ' EXCLUDE TIES', ' EXCLUDE CURRENT ROW', ' EXCLUDE GROUP'])}`,
    ],
    [1, () => `${order} RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING`],
  ]);
}
