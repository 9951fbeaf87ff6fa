/** Bound expressions as SQL text, for EXPLAIN and errors: for people, not for parsing again. */
import { assertNever } from './base/assert.ts';
import { toText } from './base/text-output.ts';
import { type Schema, typeName } from './base/type.ts';
import type {
  BoundAggregate,
  BoundExpr,
  BoundFrame,
  BoundFrameBound,
  BoundSortKey,
  BoundSubquery,
  BoundWindowCall,
} from './expression.ts';

/** Names of the columns around an expression: its own node's first, then those of enclosing queries. */
export type Names = readonly Schema[];

/** @param names the node's input columns; further schemas are those that outer columns refer to. */
export function printExpression(expression: BoundExpr, names: Names): string {
  return print(expression, names, 0);
}

/** Binding strength of what surrounds an expression; a weaker operator inside needs parentheses. */
const strengths: ReadonlyMap<string, number> = new Map([
  ...['=', '<>', '<', '<=', '>', '>='].map((op) => [op, 5] as const),
  ['+', 7],
  ['-', 7],
  ['*', 8],
  ['/', 8],
  ['%', 8],
  ['^', 9],
]);
const OR = 1;
const AND = 2;
const NOT = 3;
const IS = 4;
const OTHER_OPERATOR = 6;
const UNARY = 10;

function wrap(text: string, own: number, outside: number): string {
  return own < outside || (own === outside && own === 5) ? `(${text})` : text;
}

function print(expression: BoundExpr, names: Names, outside: number): string {
  const list = (parts: readonly BoundExpr[]): string =>
    parts.map((part) => print(part, names, 0)).join(', ');
  switch (expression.kind) {
    case 'literal':
      return printLiteral(expression);
    case 'column':
      return columnName(names[0], expression.index);
    case 'outer-column':
      return `outer.${columnName(names[expression.depth], expression.index)}`;
    case 'parameter':
      return `$${expression.index}`;
    case 'call':
      return printCall(expression, names, outside);
    case 'cast': {
      const type = typeName(expression.type);
      if (expression.try) return `TRY_CAST(${print(expression.operand, names, 0)} AS ${type})`;
      return `${print(expression.operand, names, UNARY + 1)}::${type}`;
    }
    case 'and':
    case 'or': {
      const own = expression.kind === 'and' ? AND : OR;
      const word = expression.kind === 'and' ? ' AND ' : ' OR ';
      return wrap(
        expression.args.map((arg) => print(arg, names, own + 1)).join(word),
        own,
        outside,
      );
    }
    case 'not':
      return wrap(`NOT ${print(expression.operand, names, NOT)}`, NOT, outside);
    case 'is-null': {
      const test = expression.negated ? 'IS NOT NULL' : 'IS NULL';
      return wrap(`${print(expression.operand, names, IS + 1)} ${test}`, IS, outside);
    }
    case 'is-truth': {
      const test = `IS ${expression.negated ? 'NOT ' : ''}${expression.value ? 'TRUE' : 'FALSE'}`;
      return wrap(`${print(expression.operand, names, IS + 1)} ${test}`, IS, outside);
    }
    case 'is-distinct': {
      const test = expression.negated ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM';
      const left = print(expression.left, names, IS + 1);
      return wrap(`${left} ${test} ${print(expression.right, names, IS + 1)}`, IS, outside);
    }
    case 'case': {
      const whens = expression.whens.map(
        (branch) => `WHEN ${print(branch.when, names, 0)} THEN ${print(branch.then, names, 0)}`,
      );
      const otherwise =
        expression.otherwise === undefined ? [] : [`ELSE ${print(expression.otherwise, names, 0)}`];
      return ['CASE', ...whens, ...otherwise, 'END'].join(' ');
    }
    case 'let': {
      const value = print(expression.value, names, 0);
      return `(x${expression.id} := ${value}; ${print(expression.body, names, 0)})`;
    }
    case 'let-value':
      return `x${expression.id}`;
    case 'coalesce':
      return `coalesce(${list(expression.args)})`;
    case 'in-list': {
      const word = expression.negated ? 'NOT IN' : 'IN';
      const text = `${print(expression.operand, names, OTHER_OPERATOR)} ${word} (${list(expression.items)})`;
      return wrap(text, OTHER_OPERATOR - 1, outside);
    }
    case 'array':
      return `ARRAY[${list(expression.items)}]`;
    case 'row':
      return `ROW(${list(expression.items)})`;
    case 'field': {
      const type = expression.operand.type;
      const field = type.kind === 'row' ? type.fields[expression.index]?.name : undefined;
      return `(${print(expression.operand, names, 0)}).${field ?? expression.index}`;
    }
    case 'subquery':
      return printSubquery(expression, names, outside);
    default:
      return assertNever(expression);
  }
}

/** Numbers, booleans and text need no type; other literals carry theirs. */
function printLiteral(literal: BoundExpr & { readonly kind: 'literal' }): string {
  const { value, type } = literal;
  if (value === null) return type.kind === 'unknown' ? 'NULL' : `NULL::${typeName(type)}`;
  switch (type.kind) {
    case 'boolean':
      return value === true ? 'true' : 'false';
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'numeric': {
      const text = toText(value, type);
      return /^[0-9.]+$/.test(text)
        ? text
        : `'${text}'::${typeName(type)}`.replace(
            /^'(-[0-9.]+)'::(integer|bigint|numeric|smallint)$/,
            '$1',
          );
    }
    case 'text':
    case 'unknown':
      return quote(toText(value, type));
    default:
      return `${quote(toText(value, type))}::${typeName(type)}`;
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function columnName(schema: Schema | undefined, index: number): string {
  const column = schema?.[index];
  if (column === undefined) return `#${index}`;
  const name = quoteName(column.name);
  // Two columns of one name are told apart by their numbers.
  const twins = schema?.filter((other) => other.name === column.name).length ?? 1;
  return twins > 1 ? `${name}#${index}` : name;
}

export const quoteName = (name: string): string =>
  /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

function printCall(
  call: BoundExpr & { readonly kind: 'call' },
  names: Names,
  outside: number,
): string {
  const { name } = call.fn;
  const isOperator = !/^[a-z_]/i.test(name);
  const [first, second] = call.args;
  if (isOperator && first !== undefined) {
    if (second === undefined) return wrap(`${name} ${print(first, names, UNARY)}`, UNARY, outside);
    const own = strengths.get(name) ?? OTHER_OPERATOR;
    const left = print(first, names, own);
    return wrap(`${left} ${name} ${print(second, names, own + 1)}`, own, outside);
  }
  return `${name}(${call.args.map((arg) => print(arg, names, 0)).join(', ')})`;
}

function printSubquery(subquery: BoundSubquery, names: Names, outside: number): string {
  switch (subquery.mode) {
    case 'scalar':
      return '(SubPlan)';
    case 'exists':
      return 'EXISTS (SubPlan)';
    case 'array':
      return 'ARRAY(SubPlan)';
    case 'any':
    case 'all': {
      const operands = subquery.operands.map((operand) => print(operand, names, 0));
      const left = operands.length === 1 ? (operands[0] ?? '') : `(${operands.join(', ')})`;
      const text = `${left} ${subquery.compare.name} ${subquery.mode.toUpperCase()} (SubPlan)`;
      return wrap(text, OTHER_OPERATOR, outside);
    }
    default:
      return assertNever(subquery);
  }
}

export function printSortKey(key: BoundSortKey, names: Names): string {
  const direction = key.descending ? ' DESC' : '';
  const nulls =
    key.nullsFirst === key.descending ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
  return `${printExpression(key.expression, names)}${direction}${nulls}`;
}

export function printAggregate(aggregate: BoundAggregate, names: Names): string {
  const args = aggregate.args.map((arg) => printExpression(arg, names)).join(', ');
  const star = aggregate.fn.name === 'count' && aggregate.args.length === 0 ? '*' : args;
  const distinct = aggregate.distinct ? 'DISTINCT ' : '';
  const order =
    aggregate.orderBy.length === 0
      ? ''
      : ` ORDER BY ${aggregate.orderBy.map((key) => printSortKey(key, names)).join(', ')}`;
  const filter =
    aggregate.filter === undefined
      ? ''
      : ` FILTER (WHERE ${printExpression(aggregate.filter, names)})`;
  return `${aggregate.fn.name}(${distinct}${star}${order})${filter}`;
}

export function printWindowCall(call: BoundWindowCall, names: Names): string {
  const { fn } = call;
  const text =
    fn.kind === 'aggregate'
      ? printAggregate(fn.aggregate, names)
      : `${fn.name}(${fn.args.map((arg) => printExpression(arg, names)).join(', ')})${fn.ignoreNulls ? ' IGNORE NULLS' : ''}`;
  const parts: string[] = [];
  if (call.partitionBy.length > 0) {
    const keys = call.partitionBy.map((key) => printExpression(key, names));
    parts.push(`PARTITION BY ${keys.join(', ')}`);
  }
  if (call.orderBy.length > 0) {
    parts.push(`ORDER BY ${call.orderBy.map((key) => printSortKey(key, names)).join(', ')}`);
  }
  if (call.frame !== undefined) parts.push(printFrame(call.frame, names));
  return `${text} OVER (${parts.join(' ')})`;
}

function printFrame(frame: BoundFrame, names: Names): string {
  const bound = (end: BoundFrameBound): string =>
    'offset' in end
      ? `${printExpression(end.offset, names)} ${end.kind.toUpperCase()}`
      : end.kind.replace('-', ' ').toUpperCase();
  const exclude = frame.exclude === 'no others' ? '' : ` EXCLUDE ${frame.exclude.toUpperCase()}`;
  return `${frame.unit.toUpperCase()} BETWEEN ${bound(frame.start)} AND ${bound(frame.end)}${exclude}`;
}
