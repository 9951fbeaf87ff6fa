/** Lateral joins with set-returning functions, row by row. */
import type { Schema } from '../base/type.ts';
import { joinSchema } from '../bind-join.ts';
import { columnOf } from '../bind-scope.ts';
import { bigintType, booleanType } from '../coerce.ts';
import type { BoundExpr } from '../expression.ts';
import { holdsSubquery, isRepeatable } from '../expression-fact.ts';
import { MANY_ROWS, ONE_ROW } from '../function/table-rows.ts';
import { conjunction, conjunctsOf } from '../join-keys.ts';
import { substitute } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { overJoin } from './pull-correlation.ts';
import { filter } from './push-filters.ts';

type Join = LogicalNode & { readonly kind: 'join' };
type TableFunction = LogicalNode & { readonly kind: 'table-function' };
type Values = LogicalNode & { readonly kind: 'values' };

/** A right side that only filters and projects the rows of functions. */
interface Peeled {
  readonly source: TableFunction;
  /** Over the source's columns. */
  readonly outputs: readonly BoundExpr[];
  readonly conditions: readonly BoundExpr[];
}

/**
 * join lateral(x, project(filter(f(x.a), p), g))  =>  project(filter(flat map(x, f(a)), p), g)
 * left join lateral(…) on q                       =>  project(flat map left(x, f(a)) on p AND q, g)
 * Pays: a row and its functions' rows come and go together, so nothing has to be kept.
 * Safe: what the functions give depends on the row alone.
 * @returns undefined where the right side is anything else.
 */
export function flatMapJoin(join: Join): LogicalNode | undefined {
  if (join.type !== 'inner' && join.type !== 'left') return undefined;
  const peeled = peel(join.right);
  if (peeled === undefined) return undefined;
  const { source } = peeled;
  const width = join.left.schema.length;
  const outer = join.type === 'left';
  const isPlain = peeled.outputs.every((output) => output.kind === 'column');
  const ordinality = source.ordinality || (outer && !isPlain);
  const own: Schema =
    ordinality === source.ordinality
      ? source.schema
      : [...source.schema, { name: 'ordinality', type: bigintType, nullable: false }];
  const outputs = [
    ...join.left.schema.map(({ type }, index) => columnOf(index, type)),
    ...peeled.outputs.map((output) => overJoin(output, width)),
  ];
  const on = [
    ...peeled.conditions.map((condition) => overJoin(condition, width)),
    ...conjunctsOf(join.on).map((part) => substitute(part, outputs)),
  ];
  const mapped: LogicalNode = {
    kind: 'flat-map',
    input: join.left,
    calls: source.calls.map((call) => ({
      ...call,
      args: call.args.map((arg) => overJoin(arg, 0)),
    })),
    ordinality,
    on: outer ? conjunction(on) : undefined,
    outer,
    schema: joinSchema(join.type, join.left.schema, own),
  };
  const rows = outer ? mapped : filter(mapped, on);
  const counter = width + own.length - 1;
  const expressions = outputs.map((output) =>
    !outer || output.kind === 'column' ? output : whereFound(output, counter),
  );
  return { kind: 'project', input: rows, expressions, schema: join.schema };
}

/** NULL for a row that the functions gave nothing for. */
function whereFound(output: BoundExpr, counter: number): BoundExpr {
  const when: BoundExpr = {
    kind: 'is-null',
    operand: columnOf(counter, bigintType),
    negated: true,
    type: booleanType,
  };
  // biome-ignore lint/suspicious/noThenProperty: the contract of a CASE expression names it so.
  const whens = [{ when, then: output }];
  return { kind: 'case', whens, otherwise: undefined, type: output.type, span: output.span };
}

/** VALUES as a function of its cells. Without columns there is one row, under a SELECT of constants. */
function valuesCall(node: Values): TableFunction | undefined {
  const isBare = node.schema.length === 0;
  if (isBare && node.rows.length !== 1) return undefined;
  const name = isBare ? ONE_ROW : MANY_ROWS;
  const calls = [{ name, args: node.rows.flat(), columns: node.schema }];
  return { kind: 'table-function', calls, ordinality: false, schema: node.schema };
}

function peel(node: LogicalNode): Peeled | undefined {
  switch (node.kind) {
    case 'values': {
      const source = valuesCall(node);
      return source && peel(source);
    }
    case 'table-function': {
      const outputs = node.schema.map(({ type }, index) => columnOf(index, type));
      const isPlain = node.calls.every((call) => !call.args.some(holdsSubquery));
      return isPlain ? { source: node, outputs, conditions: [] } : undefined;
    }
    case 'filter': {
      const below = peel(node.input);
      if (below === undefined || holdsSubquery(node.where)) return undefined;
      const conditions = conjunctsOf(substitute(node.where, below.outputs));
      return { ...below, conditions: [...below.conditions, ...conditions] };
    }
    case 'project': {
      const below = peel(node.input);
      const movable = (output: BoundExpr): boolean =>
        isRepeatable(output) && !holdsSubquery(output);
      if (below === undefined || !node.expressions.every(movable)) return undefined;
      const outputs = node.expressions.map((output) => substitute(output, below.outputs));
      return { ...below, outputs };
    }
    case 'sort':
      return peel(node.input);
    default:
      return undefined;
  }
}
