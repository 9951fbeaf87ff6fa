/** MATCH_RECOGNIZE around a FROM item (ISO/IEC 19075-5; Flink's WITHIN). */
import type { Expression, FromItem, MatchRecognize } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Column, Schema } from './base/type.ts';
import { sortDirection } from './bind-aggregate.ts';
import type { Place } from './bind-context.ts';
import {
  type BindFromItem,
  type BoundFrom,
  type FromPlace,
  named,
  scopeOver,
} from './bind-from-place.ts';
import {
  bindPattern,
  bindSkip,
  checkQuantifiers,
  type PatternVariables,
  patternVariables,
  primaryOf,
} from './bind-match-pattern.ts';
import { MatchValues } from './bind-match-value.ts';
import { columnOf, Scope, type ScopeColumn } from './bind-scope.ts';
import { intervalMicros, positiveLength } from './bind-window-table.ts';
import { coerceToBoolean, resolveUnknown } from './coerce.ts';
import { isAppendOnly, isEventTime } from './derive.ts';
import type { BoundExpr } from './expression.ts';
import { columnsRead, renumberColumns } from './logical-map.ts';
import type { LogicalNode, MatchSortKey } from './logical-plan.ts';
import { recordStart, withoutRecordColumns } from './record-column.ts';
import {
  type BoundPattern,
  holdsKind,
  type MatchOutput,
  type MatchShape,
  mapMatchShape,
  PATTERN_SIZE_MAX,
  patternSize,
} from './row-pattern.ts';

type Item = FromItem & MatchRecognize;
type Clause = 'DEFINE' | 'MEASURES';

const place = (label: Clause): Place => ({
  label,
  aggregates: true,
  windows: false,
  sets: false,
  subqueries: false,
});

/** @throws StreamError for whatever the clause says that cannot be meant, with its place. */
export function bindMatch(item: Item, from: FromPlace, bindItem: BindFromItem): BoundFrom {
  const source = withListedColumns(bindItem(item.source, from));
  const scope = scopeOver(source, from);
  const partitionBy = item.partitionBy.map((node) => inputColumn(node, 'PARTITION BY', scope));
  const orderBy = bindOrder(item, scope);
  const variables = patternVariables(item);
  const pattern = bindPattern(item.pattern, variables.primary);
  checkQuantifiers(pattern, item);
  const skip = bindSkip(item, variables);
  const inEventTime = isInEventTime(source.node, orderBy, from);
  checkForm(item, pattern, inEventTime);
  const { values, define, measures } = bindExpressions(item, source, from, variables);
  const listed = source.node.schema.slice(0, recordStart(source.node));
  const { outputs, schema } = outputsOf(item, listed, partitionBy, orderBy, measures);
  const node: LogicalNode & { readonly kind: 'match-recognize' } = {
    kind: 'match-recognize',
    input: source.node,
    partitionBy,
    orderBy,
    outputs,
    inEventTime,
    variables: variables.primary,
    pattern,
    values,
    define,
    measures,
    rowsPerMatch: item.rowsPerMatch === 'all' ? 'all-show-empty' : item.rowsPerMatch,
    skip,
    withinMicros: withinOf(item, source.node.schema, orderBy, scope),
    schema,
  };
  const start = recordStart(source.node) ?? Number.POSITIVE_INFINITY;
  const isRead = columnsOfMatch(node).some((column) => column >= start);
  const input = isRead ? source.node : withoutRecordColumns(source.node);
  return named({ ...node, input }, item.alias, item.alias?.name.name, undefined);
}

/** Of anything but one stream: without the columns that `*` leaves out, which the rows of a match would be kept with. */
function withListedColumns(from: BoundFrom): BoundFrom {
  const { node, tables, columns } = from;
  if (recordStart(node) !== undefined) return from;
  const all = [...columns, ...tables.flatMap((table) => table.columns)];
  const listed = all.filter(({ hidden }) => hidden !== true);
  const kept = new Set(columnsRead(listed.map(({ expression }) => expression)));
  if (kept.size === node.schema.length) return from;
  const order = [...kept].sort((a, b) => a - b);
  const moved = (names: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    names
      .filter(({ hidden }) => hidden !== true)
      .map((name) => ({
        ...name,
        expression: renumberColumns(name.expression, (index) => order.indexOf(index)),
      }));
  const schema = order.flatMap((index) => node.schema[index] ?? []);
  const expressions = schema.map(({ type }, place) => columnOf(order[place] ?? place, type));
  return {
    node: { kind: 'project', input: node, expressions, schema },
    // Nothing about a match is known of a row's key.
    tables: tables.map((table) => ({
      ...table,
      columns: moved(table.columns),
      primaryKey: undefined,
    })),
    columns: moved(columns),
  };
}

/** Columns of the input that the node keeps rows in order by, shows or computes with. */
function columnsOfMatch(
  node: LogicalNode & { readonly kind: 'match-recognize' },
): readonly number[] {
  const read: BoundExpr[] = [];
  mapMatchShape(node, (expression) => {
    read.push(expression);
    return expression;
  });
  const shown = node.outputs.flatMap((output) => (output.kind === 'column' ? output.column : []));
  return [...node.partitionBy, ...node.orderBy.map(columnOfKey), ...shown, ...columnsRead(read)];
}

function inputColumn(node: Expression, clause: string, scope: Scope): number {
  const bound = scope.context.rules.expression(node, scope);
  if (bound.kind === 'column') return bound.index;
  throw new StreamError('SQL_NOT_SUPPORTED', `${clause} of MATCH_RECOGNIZE takes columns`, {
    at: node.span,
    hint: 'Compute it in a subquery: FROM (SELECT …, … AS x FROM …) MATCH_RECOGNIZE (…).',
  });
}

function bindOrder(item: Item, scope: Scope): readonly MatchSortKey[] {
  if (item.orderBy.length === 0) {
    throw new StreamError('SQL_SYNTAX', 'MATCH_RECOGNIZE needs an ORDER BY', {
      at: item.span,
      hint: 'A pattern is about rows that follow one another.',
    });
  }
  return item.orderBy.map((key) => ({
    column: inputColumn(key.expression, 'ORDER BY', scope),
    ...sortDirection(key),
  }));
}

/** What is answered once has all its rows at the start; what is kept waits for the watermark. */
function isInEventTime(
  input: LogicalNode,
  [first]: readonly MatchSortKey[],
  { context }: FromPlace,
): boolean {
  if (context.purpose === 'pull' || first === undefined || first.descending) return false;
  return isAppendOnly(input, context.catalog) && isEventTime(input, first.column, context.catalog);
}

/** @throws StreamError SQL_TOO_COMPLEX; SQL_NOT_SUPPORTED, SQL_NOT_INCREMENTAL for combinations without a meaning. */
function checkForm(item: Item, pattern: BoundPattern, inEventTime: boolean): void {
  if (patternSize(pattern) > PATTERN_SIZE_MAX) {
    throw new StreamError(
      'SQL_TOO_COMPLEX',
      `the pattern has more than ${PATTERN_SIZE_MAX} parts`,
      {
        at: item.span,
        hint: 'A quantifier {n,m} counts m times, PERMUTE once for every order of its parts.',
      },
    );
  }
  if (item.rowsPerMatch === 'all-with-unmatched') {
    if (holdsKind(pattern, 'exclusion')) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'a pattern with an exclusion and WITH UNMATCHED ROWS contradict each other',
        { at: item.span, hint: 'Leave out {- -} or WITH UNMATCHED ROWS.' },
      );
    }
  }
  if (inEventTime && holdsKind(pattern, 'end')) {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      'a stream in event time has no last row, so that $ never matches',
      {
        at: item.span,
        hint: 'Leave out $, or read a materialized view over the stream, whose rows are taken as they are.',
      },
    );
  }
}

interface Expressions {
  readonly values: MatchShape['values'];
  readonly define: MatchShape['define'];
  readonly measures: readonly BoundExpr[];
}

function bindExpressions(
  item: Item,
  source: BoundFrom,
  { context, commonTables }: FromPlace,
  variables: PatternVariables,
): Expressions {
  let clause: Clause = 'DEFINE';
  const values = new MatchValues(variables, () => clause);
  const named = values.tables(source.columns);
  const others = source.tables.filter(({ name }) => !variables.byName.has(name));
  const scope = new Scope({
    context,
    commonTables,
    // The conditions of a match are computed by the operator alone, which sees no query around it.
    parent: undefined,
    tables: [...named, ...others],
    columns: source.columns,
  });
  scope.specialCalls = values;
  const bind = (node: Expression): BoundExpr =>
    scope.within(place(clause), () => context.rules.expression(node, scope));
  const define: (BoundExpr | undefined)[] = variables.primary.map(() => undefined);
  for (const { variable, condition } of item.define) {
    const number = primaryOf(variable, variables.primary);
    if (define[number] !== undefined) {
      throw new StreamError('SQL_SYNTAX', `pattern variable "${variable.name}" is defined twice`, {
        at: variable.span,
      });
    }
    define[number] = values.finish(coerceToBoolean(bind(condition), 'DEFINE', context));
  }
  clause = 'MEASURES';
  const measures = item.measures.map(({ expression }) =>
    values.finish(resolveUnknown(bind(expression), context)),
  );
  return { values: values.list, define, measures };
}

function withinOf(
  item: Item,
  schema: Schema,
  [first]: readonly MatchSortKey[],
  scope: Scope,
): bigint | undefined {
  if (item.within === undefined) return undefined;
  const kind = first && schema[first.column]?.type.kind;
  if (first?.descending === true || (kind !== 'timestamp' && kind !== 'timestamptz')) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      'WITHIN needs an ascending timestamp first in ORDER BY',
      {
        at: item.within.span,
      },
    );
  }
  return positiveLength(intervalMicros(item.within, scope), item.within);
}

/**
 * ONE ROW: the partition's columns, then the measures. ALL ROWS: partition, order, measures, then the other columns.
 * @throws StreamError SQL_SYNTAX for measures without a name.
 */
function outputsOf(
  item: Item,
  input: Schema,
  partitionBy: readonly number[],
  orderBy: readonly MatchSortKey[],
  measures: readonly BoundExpr[],
): { readonly outputs: readonly MatchOutput[]; readonly schema: Schema } {
  const isOne = item.rowsPerMatch === 'one';
  const first = [...new Set(isOne ? partitionBy : [...partitionBy, ...orderBy.map(columnOfKey)])];
  const rest = isOne ? [] : input.map((_, i) => i).filter((i) => !first.includes(i));
  const column = (index: number): MatchOutput => ({ kind: 'column', column: index });
  const outputs: readonly MatchOutput[] = [
    ...first.map(column),
    ...measures.map((_, measure): MatchOutput => ({ kind: 'measure', measure })),
    ...rest.map(column),
  ];
  const names = item.measures.map(({ alias, span }) => alias?.name ?? unnamed(span));
  const measureColumn = (measure: number): Column => ({
    name: names[measure] ?? '',
    type: measures[measure]?.type ?? { kind: 'unknown' },
    nullable: true,
  });
  const schema = outputs.map((output) =>
    output.kind === 'measure' ? measureColumn(output.measure) : (input[output.column] as Column),
  );
  return { outputs, schema };
}

const columnOfKey = (key: MatchSortKey): number => key.column;

function unnamed(at: Span): never {
  throw new StreamError('SQL_SYNTAX', 'a measure needs a name', { at, hint: 'Write … AS name.' });
}
