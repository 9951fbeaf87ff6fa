/**
 * ksqlDB's latest_by_offset and earliest_by_offset, over a stream: by the records' timestamps, those of one time by partition and
 * offset. So the answer does not depend on which partition was read first; within a partition whose times do not go back it is
 * the one by offset.
 */
import type { Expression, FunctionCall, SortItem } from '../ast.ts';
import { StreamError } from '../base/error.ts';
import { callOf, nameOf } from '../parser-call.ts';
import { type DialectRow, type Read, unlessNull } from './entry.ts';
import { fill } from './template.ts';

export const isByOffset = (name: string): boolean =>
  ['latest_by_offset', 'earliest_by_offset', 'first_value', 'last_value'].includes(name);

interface Wanted {
  readonly value: Expression;
  /** Undefined = the one value, and no list. */
  readonly count: Expression | undefined;
  readonly ignoresNulls: boolean;
}

/** `(value [, count] [, ignoreNulls])`. */
function wanted(args: readonly Expression[], call: FunctionCall): Wanted {
  const [value, second, third] = args;
  const [count, flag] = second?.kind === 'boolean' ? [undefined, second] : [second, third];
  const isList = count?.kind === 'number' && /^[1-9]\d{0,8}$/.test(count.text);
  const isRight =
    value !== undefined &&
    (count === undefined || isList) &&
    (flag === undefined || flag.kind === 'boolean') &&
    !(second?.kind === 'boolean' && third !== undefined);
  if (!isRight) {
    throw new StreamError('VALUE_INVALID_PARAMETER', `${nameOf(call)} is not called like this`, {
      at: call.span,
      hint: `Write ${nameOf(call)}(value), with a number of values written out for a list of them, and false at the end to keep NULLs.`,
    });
  }
  return { value, count, ignoresNulls: flag?.kind !== 'boolean' || flag.value };
}

function byOffset(latest: boolean): Read {
  return (args, call) => {
    const { value, count, ignoresNulls } = wanted(args, call);
    const filter = ignoresNulls ? unlessNull(value, call) : call.filter;
    const place = 'rowtime, rowpartition, rowoffset';
    if (count === undefined) {
      const text = `${latest ? 'max_by' : 'min_by'}($1, ROW(${place}))`;
      return { ...(fill(text, [value], call.span) as FunctionCall), filter, over: call.over };
    }
    const order = latest ? place.replaceAll(/\w+/g, '$& DESC') : place;
    const list = fill(`array_agg($1 ORDER BY ${order})`, [value], call.span) as FunctionCall;
    const first = fill('($1)[1 : $2]', [{ ...list, filter }, count], call.span);
    return fill(latest ? 'array_reverse($1)' : '$1', [first], call.span);
  };
}

export const offsets: readonly DialectRow[] = [
  [
    'latest_by_offset',
    'anyelement [, integer] [, boolean]',
    'anyelement',
    "the value of a stream's latest record, NULLs left out unless the last argument is false; with a number the list of so many",
    byOffset(true),
  ],
  [
    'earliest_by_offset',
    'anyelement [, integer] [, boolean]',
    'anyelement',
    "the value of a stream's earliest record, as latest_by_offset",
    byOffset(false),
  ],
];

/**
 * first_value and last_value as aggregates, as RisingWave and Flink have them: by the call's ORDER BY, and without one by the
 * records of a stream. NULLs count. Undefined for a window function.
 */
export function readEndValue(call: FunctionCall, name: string): Expression | undefined {
  const isFirst = name === 'first_value';
  const [value, ...others] = call.args;
  if (!isFirst && name !== 'last_value') return undefined;
  if (call.over !== undefined || value === undefined || others.length > 0) return undefined;
  const { span, filter, distinct } = call;
  if (call.orderBy.length === 0) {
    const flag: Expression = { kind: 'boolean', value: call.nulls === 'ignore', span };
    return byOffset(!isFirst)([value.value, flag], call);
  }
  // Backwards the last one is the first.
  const orderBy = call.orderBy.map((item) =>
    isFirst ? item : { ...item, descending: !item.descending, nulls: flipped(item) },
  );
  const list = callOf('array_agg', [value.value], span);
  return fill('($1)[1]', [{ ...list, orderBy, filter, distinct }], span);
}

/** Where NULLs stand in the other direction. */
function flipped({ descending, nulls }: SortItem): 'first' | 'last' {
  const areFirst = nulls === undefined ? descending : nulls === 'first';
  return areFirst ? 'last' : 'first';
}

/** What a call over rows that are no records is told. */
export function refuseOffset(call: FunctionCall): StreamError {
  const name = nameOf(call);
  const extreme = /^la/.test(name) ? 'max_by' : 'min_by';
  if (name.endsWith('_value')) {
    return new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `window function ${name} requires an OVER clause`,
      {
        at: call.span,
        hint: `Of a group it is ${name}(value ORDER BY time) or ${extreme}(value, time); without an order only over the records of a stream.`,
      },
    );
  }
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    `${name} is over the records of one stream, which these rows are not`,
    {
      at: call.span,
      hint: `Write ${extreme}(value, time) with the column that holds the order, and FILTER (WHERE value IS NOT NULL) to pass over NULLs.`,
    },
  );
}
