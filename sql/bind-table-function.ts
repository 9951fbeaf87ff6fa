/** Set-returning functions: which there are, their overloads and the columns that they give. */
import { type Span, StreamError } from './base/error.ts';
import type { Column, Schema, SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { parametersFor, resolveOverload } from './bind-overload.ts';
import { ambiguousFunction, unknownFunction } from './bind-scalar.ts';
import { refuseUnknown } from './bind-unknown.ts';
import { coerce, tryCoerce } from './coerce.ts';
import type { BoundExpr } from './expression.ts';

interface TableOverload {
  readonly parameters: readonly SqlType[];
  /** Undefined for a function of one nameless column: it is called as the function or its alias. */
  readonly names: readonly string[] | undefined;
  readonly types: readonly SqlType[];
}

const types = {
  boolean: { kind: 'boolean' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  numeric: { kind: 'numeric' },
  text: { kind: 'text' },
  texts: { kind: 'array', element: { kind: 'text' } },
  timestamp: { kind: 'timestamp' },
  timestamptz: { kind: 'timestamptz' },
  interval: { kind: 'interval' },
  json: { kind: 'json' },
  jsonb: { kind: 'jsonb' },
} as const satisfies Record<string, SqlType>;

type Key = keyof typeof types;

const overload = (
  parameters: readonly Key[],
  result: Readonly<Record<string, Key>> | Key,
): TableOverload => ({
  parameters: parameters.map((key) => types[key]),
  names: typeof result === 'string' ? undefined : Object.keys(result),
  types:
    typeof result === 'string' ? [types[result]] : Object.values(result).map((key) => types[key]),
});

const series = (key: Key, step: Key): readonly TableOverload[] => [overload([key, key, step], key)];

const tableFunctions: ReadonlyMap<string, readonly TableOverload[]> = new Map([
  [
    'generate_series',
    [
      overload(['integer', 'integer'], 'integer'),
      overload(['bigint', 'bigint'], 'bigint'),
      overload(['numeric', 'numeric'], 'numeric'),
      ...series('integer', 'integer'),
      ...series('bigint', 'bigint'),
      ...series('numeric', 'numeric'),
      ...series('timestamp', 'interval'),
      ...series('timestamptz', 'interval'),
      overload(['timestamptz', 'timestamptz', 'interval', 'text'], 'timestamptz'),
    ],
  ],
  ['jsonb_array_elements', [overload(['jsonb'], { value: 'jsonb' })]],
  ['jsonb_array_elements_text', [overload(['jsonb'], { value: 'text' })]],
  ['jsonb_each', [overload(['jsonb'], { key: 'text', value: 'jsonb' })]],
  ['jsonb_each_text', [overload(['jsonb'], { key: 'text', value: 'text' })]],
  ['jsonb_object_keys', [overload(['jsonb'], 'text')]],
  ['json_array_elements', [overload(['json'], { value: 'json' })]],
  ['json_array_elements_text', [overload(['json'], { value: 'text' })]],
  ['json_each', [overload(['json'], { key: 'text', value: 'json' })]],
  ['json_each_text', [overload(['json'], { key: 'text', value: 'text' })]],
  ['json_object_keys', [overload(['json'], 'text')]],
  [
    'jsonb_path_query',
    [
      overload(['jsonb', 'text'], 'jsonb'),
      overload(['jsonb', 'text', 'jsonb'], 'jsonb'),
      overload(['jsonb', 'text', 'jsonb', 'boolean'], 'jsonb'),
    ],
  ],
  [
    'regexp_split_to_table',
    [overload(['text', 'text'], 'text'), overload(['text', 'text', 'text'], 'text')],
  ],
  [
    'regexp_matches',
    [overload(['text', 'text'], 'texts'), overload(['text', 'text', 'text'], 'texts')],
  ],
  [
    'string_to_table',
    [overload(['text', 'text'], 'text'), overload(['text', 'text', 'text'], 'text')],
  ],
]);

const populating: ReadonlySet<string> = new Set([
  ...['json_populate_recordset', 'jsonb_populate_recordset'],
]);

const polymorphicNames: ReadonlySet<string> = new Set([
  ...['unnest', 'generate_subscripts', ...populating],
]);

export const tableFunctionNames: readonly string[] = [
  ...tableFunctions.keys(),
  ...polymorphicNames,
];

export const isTableFunction = (name: string): boolean =>
  tableFunctions.has(name) || polymorphicNames.has(name);

export interface BoundTableFunction {
  readonly name: string;
  readonly args: readonly BoundExpr[];
  readonly schema: Schema;
  /** Whether an alias of the FROM item renames the only column. */
  readonly scalar: boolean;
}

/** @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_AMBIGUOUS_FUNCTION. */
export function bindTableFunction(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundTableFunction {
  if (name === 'unnest') return bindUnnest(args, span, context);
  if (populating.has(name)) return bindPopulating(name, args, span, context);
  if (name === 'generate_subscripts') return bindSubscripts(args, span, context);
  const found = resolveOverload(
    tableFunctions.get(name) ?? [],
    args.map((arg) => arg.type),
    context,
  );
  if (found.kind !== 'found') {
    const argTypes = args.map((arg) => arg.type);
    throw found.kind === 'ambiguous'
      ? ambiguousFunction(name, argTypes, span)
      : unknownFunction(name, argTypes, span, [name]);
  }
  const { candidate } = found;
  const parameters = parametersFor(candidate, args.length) ?? [];
  return {
    name,
    args: args.map((arg, index) => coerce(arg, parameters[index] ?? arg.type, context)),
    schema: candidate.types.map(
      (type, index): Column => ({ name: candidate.names?.[index] ?? name, type, nullable: true }),
    ),
    scalar: candidate.names === undefined,
  };
}

function bindUnnest(
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundTableFunction {
  const columns: Column[] = [];
  for (const arg of args) {
    if (arg.type.kind !== 'array') {
      throw arg.type.kind === 'unknown'
        ? ambiguousFunction('unnest', [arg.type], span)
        : unknownFunction('unnest', [arg.type], span, ['unnest', ...context.registry.names()]);
    }
    const { element } = arg.type;
    if (element.kind === 'row') columns.push(...element.fields);
    else columns.push({ name: 'unnest', type: element, nullable: true });
  }
  if (columns.length === 0) throw unknownFunction('unnest', [], span, ['unnest']);
  const only = columns[0];
  return {
    name: 'unnest',
    args,
    schema: columns,
    scalar: columns.length === 1 && only?.name === 'unnest',
  };
}

/** The columns are those of the first argument. */
function bindPopulating(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundTableFunction {
  const [base, document] = args;
  const kind = name.startsWith('jsonb') ? 'jsonb' : 'json';
  const given = document && tryCoerce(document, { kind }, 'implicit', context);
  if (base?.type.kind !== 'row' || given === undefined || args.length > 2) {
    const argTypes = args.map((arg) => arg.type);
    if (given === undefined || base === undefined || args.length > 2) {
      throw unknownFunction(name, argTypes, span, [name]);
    }
    throw new StreamError('SQL_DATATYPE_MISMATCH', `first argument of ${name} must be a row type`, {
      at: base.span ?? span,
    });
  }
  return { name, args: [base, given], schema: base.type.fields, scalar: false };
}

function bindSubscripts(
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundTableFunction {
  const [array, dimension, reverse] = args;
  refuseUnknown(
    'generate_subscripts',
    args.map((arg) => arg.type),
    span,
  );
  if (array?.type.kind !== 'array' || dimension === undefined || args.length > 3) {
    throw unknownFunction(
      'generate_subscripts',
      args.map((arg) => arg.type),
      span,
      ['generate_subscripts'],
    );
  }
  const rest = [coerce(dimension, types.integer, context)];
  if (reverse !== undefined) rest.push(coerce(reverse, types.boolean, context));
  return {
    name: 'generate_subscripts',
    args: [array, ...rest],
    schema: [{ name: 'generate_subscripts', type: types.integer, nullable: true }],
    scalar: true,
  };
}

/** @throws StreamError when the call has clauses that only aggregates and windows have. */
export function refuseAggregateClauses(
  call: {
    readonly distinct: boolean;
    readonly filter: unknown;
    readonly orderBy: readonly unknown[];
    readonly withinGroup: readonly unknown[];
    readonly over: unknown;
    readonly span: Span;
  },
  name: string,
): void {
  const clause = call.distinct
    ? 'DISTINCT'
    : call.withinGroup.length > 0
      ? 'WITHIN GROUP'
      : call.orderBy.length > 0
        ? 'ORDER BY'
        : call.filter !== undefined
          ? 'FILTER'
          : undefined;
  if (clause === undefined) return;
  throw new StreamError(
    'SQL_WRONG_OBJECT_TYPE',
    `${clause} specified, but ${name} is not an aggregate function`,
    { at: call.span },
  );
}
