import type { Expression, FunctionCall, SortItem } from '../ast.ts';
import { StreamError } from '../base/error.ts';
import { callOf, nameOf } from '../parser-call.ts';
import { type DialectRow, number, type Read, string, unlessNull } from './entry.ts';

/** The same aggregate by PostgreSQL's name, with all clauses of the call. */
const aggregate =
  (name: string): Read =>
  (args, call) => ({ ...call, name: callOf(name, args, call.span).name });

/** `coalesce((array_agg(x ORDER BY x DESC) FILTER (WHERE x IS NOT NULL))[1:n], '{}')`. */
function top(distinct: boolean): Read {
  return (args, call) => {
    const { span } = call;
    const [value, count] = args as [Expression, Expression];
    if (call.over !== undefined || call.withinGroup.length > 0 || call.orderBy.length > 0) {
      const message = `${nameOf(call)} takes no OVER, ORDER BY or WITHIN GROUP`;
      throw new StreamError('SQL_NOT_SUPPORTED', message, { at: span });
    }
    if (count.kind !== 'number' || !/^[1-9]\d{0,8}$/.test(count.text)) {
      throw new StreamError(
        'VALUE_INVALID_PARAMETER',
        `the number of values of ${nameOf(call)} must be a whole number above 0, written out`,
        { at: count.span },
      );
    }
    const orderBy: readonly SortItem[] = [
      { expression: value, descending: true, nulls: undefined, span },
    ];
    const list: Expression = {
      ...callOf('array_agg', [value], span),
      distinct: distinct || call.distinct,
      orderBy,
      filter: unlessNull(value, call),
    };
    const first: Expression = {
      kind: 'slice',
      operand: list,
      low: number(1, span),
      high: count,
      span,
    };
    return callOf('coalesce', [first, string('{}', span)], span);
  };
}

/** `string_agg(x, separator ORDER BY …)`, where the order may be written WITHIN GROUP. */
function listAggregate(args: readonly Expression[], call: FunctionCall): Expression {
  const { span, withinGroup, orderBy } = call;
  const [value, separator = string(',', span)] = args as [Expression, Expression?];
  const { name, args: both } = callOf('string_agg', [value, separator], span);
  return {
    ...call,
    name,
    args: both,
    orderBy: withinGroup.length > 0 ? withinGroup : orderBy,
    withinGroup: [],
  };
}

export const aggregates: readonly DialectRow[] = [
  [
    'listagg',
    'text [, text]',
    'text',
    'values joined by a separator, a comma without one, as string_agg; the order is written in the call or WITHIN GROUP',
    listAggregate,
  ],
  [
    'topk',
    'anyelement, integer',
    'anyarray',
    'the so many largest values, NULLs left out',
    top(false),
  ],
  [
    'topkdistinct',
    'anyelement, integer',
    'anyarray',
    'the so many largest values, each once',
    top(true),
  ],
  [
    'collect',
    'anyelement',
    'anyarray',
    'values as an array, NULLs left out',
    ([value], call) => {
      const list = callOf('array_agg', [value as Expression], call.span);
      return { ...call, name: list.name, filter: unlessNull(value as Expression, call) };
    },
  ],
  [
    'correlation',
    'double precision, double precision',
    'double precision',
    'correlation coefficient, as corr',
    aggregate('corr'),
  ],
];
