/**
 * Assignment to parts of a column: `c.field = …`, `a[1] = …`, `a[1:2] = …`, `doc['key'] = …`, and ways of several steps. The column
 * gets a value that is the old one but for that part.
 */

import type { Expression } from './ast.ts';
import type { PartStep, WrittenColumn } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import { isMapType, type SqlType, typeName, withoutDomain } from './base/type.ts';
import { arraySubscript } from './bind-array.ts';
import { toSubscript } from './bind-part.ts';
import type { Scope } from './bind-scope.ts';
import { coerceAssignment, integerType, textType, tryCoerce, uncheckedByDomain } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import { setElement, setMember, setSlice } from './function/assign-part.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

/**
 * @param whole  the column before.
 * @param type  of the column, with its domain.
 * @param value  what the part becomes.
 * @throws StreamError SQL_DATATYPE_MISMATCH, SQL_UNKNOWN_COLUMN, SQL_NOT_SUPPORTED.
 */
export function assignPart(
  whole: BoundExpr,
  type: SqlType,
  column: WrittenColumn,
  value: BoundExpr,
  scope: Scope,
): BoundExpr {
  // What a domain asks for is asked of the column with all of its new parts.
  const old = { ...uncheckedByDomain(whole), type: withoutDomain(type) };
  const next = assignAt(old, column.path ?? [], { column, value, scope });
  return coerceAssignment(next, { name: column.name, type }, scope.context);
}

export function defaultOfPart({ path = [], span }: WrittenColumn): StreamError {
  const what = path[0]?.kind === 'field' ? 'a subfield' : 'an array element';
  return new StreamError('SQL_NOT_SUPPORTED', `cannot set ${what} to DEFAULT`, { at: span });
}

/** The type of what is assigned to a part of a column. */
export function partType(type: SqlType, column: WrittenColumn): SqlType {
  let at = type;
  for (const step of column.path ?? []) {
    if (at.kind === 'jsonb') return at;
    if (step.kind === 'slice') return at;
    if (step.kind === 'element') at = requireArray(at, step).element;
    else at = requireField(at, step, column).type;
  }
  return at;
}

interface Target {
  readonly column: WrittenColumn;
  readonly value: BoundExpr;
  readonly scope: Scope;
}

function assignAt(old: BoundExpr, path: readonly PartStep[], target: Target): BoundExpr {
  const [step, ...rest] = path;
  if (step === undefined) return convert(target, old.type);
  if (old.type.kind === 'jsonb') return assignMember(old, path, target);
  if (step.kind === 'field') {
    const { fields, index } = requireField(old.type, step, target.column);
    const items = fields.map(({ type }, number): BoundExpr => {
      const field: BoundExpr = { kind: 'field', operand: old, index: number, type };
      return number === index ? assignAt(field, rest, target) : field;
    });
    return { kind: 'row', items, type: old.type, span: step.span };
  }
  const { element } = requireArray(old.type, step);
  if (rest.length > 0 && rest[0]?.kind !== 'field' && element.kind !== 'jsonb') {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'assigning to arrays of several dimensions is not supported',
      { at: step.span },
    );
  }
  if (step.kind === 'slice') {
    if (rest.length > 0) throw notComposite(rest[0] ?? step, old.type, target.column);
    return assignSlice(old, step, target);
  }
  const index = subscript(step.index, target.scope);
  const before = arraySubscript(old, [index], element, step.span);
  const next = assignAt(before, rest, target);
  return callOf(setElement(old.type, element), [old, index, next], step);
}

function assignSlice(
  old: BoundExpr,
  step: PartStep & { readonly kind: 'slice' },
  target: Target,
): BoundExpr {
  const bounds = [step.low, step.high].flatMap((bound) =>
    bound === undefined ? [] : [subscript(bound, target.scope)],
  );
  const fn = setSlice(old.type, step.low !== undefined, step.high !== undefined);
  return callOf(fn, [old, convert(target, old.type), ...bounds], step);
}

/** In a document every further step is a key or a number. */
function assignMember(old: BoundExpr, path: readonly PartStep[], target: Target): BoundExpr {
  const { context } = target.scope;
  const keys = path.map((step): BoundExpr => {
    if (step.kind === 'slice') {
      throw new StreamError('SQL_DATATYPE_MISMATCH', 'jsonb subscript does not support slices', {
        at: step.span,
      });
    }
    if (step.kind === 'field') throw notComposite(step, old.type, target.column);
    const bound = context.rules.expression(step.index, target.scope);
    const type = ['smallint', 'integer', 'bigint'].includes(bound.type.kind)
      ? integerType
      : textType;
    const key = tryCoerce(bound, type, type === textType ? 'implicit' : 'assignment', context);
    if (key !== undefined) return key;
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `subscript type ${typeName(bound.type)} is not supported`,
      { at: step.span, hint: 'jsonb subscript must be coercible to either integer or text.' },
    );
  });
  const fn = setMember(keys.map(({ type }) => type));
  return callOf(fn, [old, convert(target, old.type), ...keys], path[0] ?? target.column);
}

const callOf = (
  fn: ScalarFunction,
  args: readonly BoundExpr[],
  { span }: Pick<PartStep, 'span'>,
): BoundExpr => ({ kind: 'call', fn, args, type: fn.result, span });

function convert({ value, column, scope }: Target, type: SqlType): BoundExpr {
  const done = tryCoerce(value, type, 'assignment', scope.context);
  if (done !== undefined) return done;
  const last = column.path?.at(-1);
  const what =
    last?.kind === 'field'
      ? `subfield "${last.field.name}" is of`
      : `subscripted assignment to "${column.name}" requires`;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `${what} type ${typeName(type)} but expression is of type ${typeName(value.type)}`,
    { at: value.span, hint: 'You will need to rewrite or cast the expression.' },
  );
}

const subscript = (node: Expression, scope: Scope): BoundExpr =>
  toSubscript({ ...scope.context.rules.expression(node, scope), span: node.span }, scope);

function requireArray(type: SqlType, { span }: PartStep): SqlType & { readonly kind: 'array' } {
  if (type.kind === 'array' && !isMapType(type)) return type;
  throw new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `cannot subscript type ${typeName(type)} because it does not support subscripting`,
    { at: span },
  );
}

function requireField(
  type: SqlType,
  step: PartStep & { readonly kind: 'field' },
  column: WrittenColumn,
) {
  if (type.kind !== 'row') throw notComposite(step, type, column);
  const index = type.fields.findIndex(({ name }) => name === step.field.name);
  const field = type.fields[index];
  if (field !== undefined) return { fields: type.fields, index, type: field.type };
  throw new StreamError(
    'SQL_UNKNOWN_COLUMN',
    `cannot assign to field "${step.field.name}" of column "${column.name}" because there is no such column in data type ${typeName(type)}`,
    { at: step.span },
  );
}

function notComposite(step: PartStep, type: SqlType, column: WrittenColumn): StreamError {
  const field = step.kind === 'field' ? `field "${step.field.name}"` : 'a part';
  return new StreamError(
    'SQL_DATATYPE_MISMATCH',
    `cannot assign to ${field} of column "${column.name}" because its type ${typeName(type)} is not a composite type`,
    { at: step.span },
  );
}
