/** What a function of another system is read as, and how it is written here. */
import type { Expression, FunctionCall } from '../ast.ts';
import type { Span } from '../base/error.ts';
import type { PolymorphicSignature } from '../function/polymorphic-signature.ts';
import { callOf } from '../parser-call.ts';

export interface Dialect {
  readonly family: PolymorphicSignature['family'];
  /** Shown in the docs and in errors; `[…]` marks what may be left out, `…` at the end that the last may be repeated. */
  readonly parameters: string;
  readonly result: string;
  readonly description: string;
  readonly min: number;
  readonly max: number;
  readonly read: Read;
}

export type Read = (args: readonly Expression[], call: FunctionCall) => Expression;

export type DialectRow = readonly [
  name: string,
  parameters: string,
  result: string,
  description: string,
  read: Read,
];

export function dialectRows(
  family: Dialect['family'],
  list: readonly DialectRow[],
): readonly [string, Dialect][] {
  return list.map(([name, parameters, result, description, read]) => {
    const count = parameters === '' ? 0 : parameters.split(',').length;
    const optional = parameters.split('[').length - 1;
    const isRepeated = parameters.endsWith('…');
    const max = isRepeated ? Number.POSITIVE_INFINITY : count;
    const min = count - optional - (isRepeated ? 1 : 0);
    return [name, { family, parameters, result, description, min, max, read }];
  });
}

export const string = (value: string, span: Span): Expression => ({ kind: 'string', value, span });

export const number = (value: number, span: Span): Expression => ({
  kind: 'number',
  text: String(value),
  span,
});

export function castTo(operand: Expression, name: string, span: Span): Expression {
  const type = { name, modifiers: [], arrayDimensions: 0, span };
  return { kind: 'cast', operand, type, try: false, span };
}

export const binary = (
  op: string,
  left: Expression,
  right: Expression,
  span: Span,
): Expression => ({ kind: 'binary', op, left, right, span });

/** The same function by PostgreSQL's name. */
export const renamed =
  (name: string): Read =>
  (args, { span }) =>
    callOf(name, args, span);

/** The FILTER of a call that passes over NULLs, too. */
export function unlessNull(value: Expression, { filter, span }: FunctionCall): Expression {
  const known: Expression = { kind: 'is', test: 'null', negated: true, operand: value, span };
  return filter === undefined ? known : { kind: 'and', left: filter, right: known, span };
}
