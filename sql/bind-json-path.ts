/** JSON_EXISTS, JSON_VALUE and JSON_QUERY: documents, variables and results get their types, the rest is one function. */
import type { Expression, FunctionCall } from './ast.ts';
import { assert } from './base/assert.ts';
import type { Datum } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import type { JsonObject, JsonValue } from './base/json.ts';
import { parseJsonPath } from './base/json-path-parse.ts';
import { type SqlType, typeName } from './base/type.ts';
import type { BindExpression } from './bind-aggregate.ts';
import type { Scope } from './bind-scope.ts';
import { bindTypeName } from './bind-type.ts';
import {
  booleanType,
  castExplicitly,
  coerce,
  resolveUnknown,
  textType,
  withSpan,
} from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import {
  type Behaviour,
  callPath,
  emptyDocument,
  type PathCall,
  type PathCallName,
} from './function/json-path-call.ts';
import { datumToJson } from './function/json-value.ts';
import type { ScalarFunction } from './function/scalar-function.ts';

const names: readonly PathCallName[] = ['json_exists', 'json_value', 'json_query'];
const jsonbType: SqlType = { kind: 'jsonb' };
const documentKinds: ReadonlySet<string> = new Set([
  'text',
  'varchar',
  'char',
  'json',
  'jsonb',
  'unknown',
]);

export const isPathCall = (name: string): name is PathCallName =>
  names.some((known) => known === name);

export function bindPathCall(
  name: PathCallName,
  node: FunctionCall,
  scope: Scope,
  bind: BindExpression,
): BoundExpr {
  const { context } = scope;
  const { span } = node;
  const [document, path] = node.args.map((argument) => argument.value);
  assert(document !== undefined && path !== undefined, 'the parser gives a document and a path');
  const clauses = new Map(
    node.args.slice(2).map(({ name: clause, value }) => [clause?.name ?? '', value]),
  );
  const args = [
    boundDocument(bind(document, scope), context),
    boundPath(bind(path, scope), context),
  ];
  const passed = [...clauses].filter(([clause]) => clause.startsWith('passing '));
  for (const [, value] of passed) args.push(resolveUnknown(bind(value, scope), context));
  const types = args.map((arg) => arg.type);
  const type = resultType(name, clauses.get('returning'), context);
  const wrapper = wordOf(clauses.get('wrapper')) ?? 'without';
  const quotes = clauses.get('quotes');
  if (quotes !== undefined && wrapper !== 'without') {
    throw new StreamError(
      'SQL_SYNTAX',
      'SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used',
      { at: quotes.span },
    );
  }
  const behaviour = (when: 'empty' | 'error'): Behaviour => {
    const fallback = clauses.get(`default on ${when}`);
    if (fallback === undefined) {
      return behaviourOf(wordOf(clauses.get(`on ${when}`)), name, type);
    }
    args.push(castExplicitly(bind(fallback, scope), type, false, fallback.span, context));
    return { kind: 'argument', index: args.length - 1 };
  };
  const call: PathCall = {
    name,
    type,
    wrapper: wrapper === 'conditional' || wrapper === 'unconditional' ? wrapper : 'without',
    omitQuotes: wordOf(quotes) === 'omit',
    onEmpty: behaviour('empty'),
    onError: behaviour('error'),
    variables: passed.map(([clause]) => clause.slice('passing '.length)),
  };
  const fn = pathFunction(
    call,
    types,
    args.map((arg) => arg.type),
  );
  return { kind: 'call', fn, args, type, span };
}

/** A path that is written out is looked at now. */
function boundPath(path: BoundExpr, context: Scope['context']): BoundExpr {
  const text = coerce(path, textType, context);
  if (text.kind === 'literal' && typeof text.value === 'string') {
    const { value } = text;
    withSpan(path.span, () => parseJsonPath(value));
  }
  return text;
}

function boundDocument(document: BoundExpr, context: Scope['context']): BoundExpr {
  if (!documentKinds.has(document.type.kind)) {
    throw new StreamError(
      'SQL_DATATYPE_MISMATCH',
      `cannot use type ${typeName(document.type)} as a JSON document`,
      { at: document.span, hint: 'Cast it to jsonb.' },
    );
  }
  return castExplicitly(document, jsonbType, false, document.span ?? { start: 0, end: 0 }, context);
}

function resultType(
  name: PathCallName,
  returning: Expression | undefined,
  context: Scope['context'],
): SqlType {
  if (name === 'json_exists') return booleanType;
  if (returning?.kind === 'cast') return bindTypeName(returning.type, context);
  return name === 'json_value' ? textType : jsonbType;
}

const wordOf = (expression: Expression | undefined): string | undefined =>
  expression?.kind === 'string' ? expression.value : undefined;

function behaviourOf(word: string | undefined, name: PathCallName, type: SqlType): Behaviour {
  switch (word) {
    case 'error':
      return { kind: 'error' };
    case 'true':
      return { kind: 'value', value: true };
    case 'false':
      return { kind: 'value', value: false };
    case 'empty array':
      return { kind: 'value', value: emptyDocument('array', type) };
    case 'empty object':
      return { kind: 'value', value: emptyDocument('object', type) };
    case undefined:
      return { kind: 'value', value: name === 'json_exists' ? false : null };
    default:
      return { kind: 'value', value: null };
  }
}

/** @param types  of the document, the path and the variables; `parameters` also of the defaults. */
function pathFunction(
  call: PathCall,
  types: readonly SqlType[],
  parameters: readonly SqlType[],
): ScalarFunction {
  const { variables } = call;
  const { name, ...rest } = call;
  return {
    // Plans with equal names of functions share their operators, so the name says everything.
    name: `${name} ${JSON.stringify(rest)}`,
    parameters,
    result: call.type,
    strict: false,
    evaluate: (...args: readonly (Datum | null)[]) => {
      const members = variables.map((variable, i): [string, JsonValue] => [
        variable,
        datumToJson(args[i + 2] ?? null, types[i + 2] ?? textType),
      ]);
      const object: JsonObject = new Map(members);
      return callPath(call, args, object);
    },
    description: 'what an SQL/JSON path finds in a document',
    family: 'json',
  };
}
