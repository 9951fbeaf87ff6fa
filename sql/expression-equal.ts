/** Structural equality of bound expressions; where they stand in the text does not matter. */
import type { BoundExpr } from './expression.ts';
import { functionFacts } from './function/scalar-function.ts';

/**
 * Whether two expressions over the same columns are the same computation. Functions are compared
 * by identity, so two casts made apart are told by their types.
 */
export function equalExpressions(left: BoundExpr, right: BoundExpr): boolean {
  return left === right || equalValues(left, right, new Map());
}

/** @param ids  of the right side's recursive queries, by those of the left side's: each is numbered when it is bound. */
function equalValues(left: unknown, right: unknown, ids: Map<unknown, unknown>): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => equalValues(item, right[index], ids))
    );
  }
  if (left instanceof Uint8Array || right instanceof Uint8Array) {
    if (!(left instanceof Uint8Array && right instanceof Uint8Array)) return false;
    return left.length === right.length && left.every((byte, index) => byte === right[index]);
  }
  if (['evaluate', 'accumulator'].some((part) => part in left && part in right)) {
    return equalFunctions(left, right);
  }
  if (isKind(left, 'recursive') && isKind(right, 'recursive')) ids.set(left.id, right.id);
  const isReference = isKind(left, 'recursive-reference') && isKind(right, 'recursive-reference');
  const isNumbered = isReference || isKind(left, 'recursive');
  const leftEntries = entriesOf(left);
  const rightEntries = new Map(entriesOf(right));
  return (
    leftEntries.length === rightEntries.size &&
    leftEntries.every(([key, value]) => {
      const other = rightEntries.get(key);
      if (isNumbered && key === 'id') return (ids.get(value) ?? value) === other;
      return equalValues(value, other, ids);
    })
  );
}

const isKind = (value: object, kind: string): value is { readonly id: unknown } =>
  'kind' in value && value.kind === kind && 'id' in value;

const entriesOf = (value: object): [string, unknown][] =>
  Object.entries(value).filter(([key, item]) => key !== 'span' && item !== undefined);

/** The registry makes casts and polymorphic functions on demand: equal name and types are equal functions. */
function equalFunctions(left: object, right: object): boolean {
  const facts = (fn: object): unknown[] =>
    entriesOf(fn)
      .filter(([key]) => functionFacts.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1));
  return equalValues(facts(left), facts(right), new Map());
}
