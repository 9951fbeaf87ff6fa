/** Parts of values: elements and slices of arrays, members of documents, whole rows of a table. */
import type { Expression } from './ast.ts';
import { StreamError } from './base/error.ts';
import { isMapType, typeName } from './base/type.ts';
import { arraySlice, arraySubscript, type SliceBound } from './bind-array.ts';
import { mapValueOf } from './bind-map.ts';
import { bindColumn, expandStar, findWholeRow } from './bind-name.ts';
import { bindOperator } from './bind-operator.ts';
import type { Scope } from './bind-scope.ts';
import { integerType, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';

type Node<Kind extends Expression['kind']> = Expression & { readonly kind: Kind };

/** `t.*` inside an expression is the row that `t` is. */
export function bindWholeRow(node: Node<'star'>, scope: Scope): BoundExpr {
  const table = node.qualifier?.parts.at(-1);
  if (node.qualifier === undefined || table === undefined) {
    throw new StreamError('SQL_SYNTAX', 'row expansion via "*" is not supported here', {
      at: node.span,
    });
  }
  // An unknown table is reported as one, and not as a column that is missing.
  expandStar(node.qualifier, scope, node.span);
  // `t.*` is the row also where a column has the table's name.
  const row = node.qualifier.parts.length === 1 ? findWholeRow(table, scope) : undefined;
  return { ...(row ?? bindColumn(node.qualifier, scope)), span: node.span };
}

/** `array[i][j]`, `document['key']`. */
export function bindSubscript(node: Node<'subscript'>, scope: Scope): BoundExpr {
  const indexNodes: Expression[] = [];
  let base: Expression = node;
  while (base.kind === 'subscript') {
    indexNodes.unshift(base.index);
    base = base.operand;
  }
  // PostgreSQL reads `a[1:2][2]` as `a[1:2][1:2]`.
  if (base.kind === 'slice') return bindSlice(node, scope);
  const { context } = scope;
  const operand = context.rules.expression(base, scope);
  const indexes = indexNodes.map((index) => context.rules.expression(index, scope));
  return elementOf(operand, indexes, node, scope);
}

/** An element of an array, a member of a document; of a map the value of a key, and further subscripts of that. */
function elementOf(
  operand: BoundExpr,
  indexes: readonly BoundExpr[],
  node: Expression,
  scope: Scope,
): BoundExpr {
  const [key, ...others] = indexes;
  if (operand.type.kind === 'jsonb') {
    return indexes.reduce(
      (value, index) => bindOperator('->', [value, index], node.span, scope.context),
      operand,
    );
  }
  if (isMapType(operand.type) && key !== undefined) {
    const value = mapValueOf(operand, operand.type, key, node.span, scope.context);
    return others.length === 0 ? value : elementOf(value, others, node, scope);
  }
  const { element } = requireArray(operand, node);
  // Of a list of maps; lists in lists are further dimensions.
  if (isMapType(element) && others.length > 0 && key !== undefined) {
    const item = arraySubscript(operand, [toSubscript(key, scope)], element, node.span);
    return elementOf(item, others, node, scope);
  }
  const converted = indexes.map((index) => toSubscript(index, scope));
  const isInner = others.length > 0 && element.kind === 'array';
  return arraySubscript(operand, converted, isInner ? element.element : element, node.span);
}

/** `array[low:high]`, in any number of dimensions. */
export function bindSlice(node: Node<'slice'> | Node<'subscript'>, scope: Scope): BoundExpr {
  const parts: (readonly [Expression | undefined, Expression | undefined])[] = [];
  let base: Expression = node;
  while (base.kind === 'slice' || base.kind === 'subscript') {
    parts.unshift(base.kind === 'slice' ? [base.low, base.high] : [undefined, base.index]);
    base = base.operand;
  }
  const operand = scope.context.rules.expression(base, scope);
  if (operand.type.kind === 'jsonb' || isMapType(operand.type)) {
    const name = operand.type.kind === 'jsonb' ? 'jsonb' : 'map';
    throw new StreamError('SQL_DATATYPE_MISMATCH', `${name} subscript does not support slices`, {
      at: node.span,
    });
  }
  requireArray(operand, node);
  const bind = (part: Expression | undefined): BoundExpr | undefined =>
    part && toSubscript(scope.context.rules.expression(part, scope), scope);
  const bounds = parts.map(([low, high]): SliceBound => [bind(low), bind(high)]);
  return arraySlice(operand, bounds, node.span);
}

function requireArray(
  operand: BoundExpr,
  node: Expression,
): BoundExpr['type'] & { readonly kind: 'array' } {
  if (operand.type.kind === 'array') return operand.type;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `cannot subscript type ${typeName(operand.type)} because it does not support subscripting`,
    { at: node.span },
  );
}

export function toSubscript(index: BoundExpr, scope: Scope): BoundExpr {
  const done = tryCoerce(index, integerType, 'assignment', scope.context);
  if (done !== undefined) return done;
  throw new StreamError('SQL_DATATYPE_MISMATCH', 'array subscript must have type integer', {
    at: index.span,
  });
}
