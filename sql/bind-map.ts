/** ksqlDB's `MAP(key := value, …)`, Flink's `MAP[key, value, …]`, and `map[key]`. */
import type { Expression, FunctionCall } from './ast.ts';
import { StreamError } from './base/error.ts';
import { keyAndValue, type MapType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { coerce, unify } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { mapConstructor, mapSubscript } from './function/map.ts';

/** @throws StreamError SQL_SYNTAX for a key without a value, and as unify does for types that do not go together. */
export function bindMap(
  call: FunctionCall,
  bind: (value: Expression) => BoundExpr,
  context: BindContext,
): BoundExpr {
  const { span } = call;
  // An argument by name has a column as its key.
  const parts = call.args.flatMap(({ name, value }): Expression[] =>
    name === undefined
      ? [value]
      : [{ kind: 'column', name: { parts: [name], span: name.span }, span: name.span }, value],
  );
  if (parts.length === 0 || parts.length % 2 !== 0) {
    throw new StreamError('SQL_SYNTAX', 'MAP takes keys and their values', {
      at: span,
      hint: 'Write MAP(key := value, …) or MAP[key, value, …].',
    });
  }
  const bound = parts.map(bind);
  const keys = unify(
    bound.filter((_, i) => i % 2 === 0),
    'MAP',
    context,
  );
  const values = unify(
    bound.filter((_, i) => i % 2 === 1),
    'MAP',
    context,
  );
  const fn = mapConstructor(keys.type, values.type, values.expressions.length);
  const args = keys.expressions.flatMap((key, i) => {
    const value = values.expressions[i];
    return value === undefined ? [] : [key, value];
  });
  return { kind: 'call', fn, args, type: fn.result, span };
}

/** `map[key]`: the value, NULL when the key is not there. */
export function mapValueOf(
  map: BoundExpr,
  type: MapType,
  key: BoundExpr,
  span: BoundExpr['span'],
  context: BindContext,
): BoundExpr {
  const fn = mapSubscript(type);
  const args = [map, coerce(key, keyAndValue(type).key, context)];
  return { kind: 'call', fn, args, type: fn.result, span };
}
