/** CREATE FUNCTION: from the statement to the routine that its calls mean. */

import type { Expression, FromItem, Identifier, Query } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Column, Schema, SqlType } from './base/type.ts';
import { isAggregateName } from './bind-aggregate.ts';
import { isConstruct } from './bind-call.ts';
import type { BindContext } from './bind-context.ts';
import { isPathCall } from './bind-json-path.ts';
import { isRecordFunction } from './bind-record-function.ts';
import { bindBody, inBody, PARAMETER_TABLE, routineType } from './bind-routine.ts';
import { Scope } from './bind-scope.ts';
import { isSessionFunction } from './bind-session.ts';
import { isTableFunction } from './bind-table-function.ts';
import { isRankingName } from './bind-window.ts';
import { coerce } from './coerce.ts';
import { isDialectName } from './dialect-call.ts';
import { registry } from './function/builtin.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { tokenize } from './lexer.ts';
import { parseExpression, parseStatement } from './parser.ts';
import { plainQuery, plainSelect } from './plain-query.ts';
import type { Routine, RoutineBody, RoutineParameter } from './routine.ts';

type CreateFunction = Statement & { readonly kind: 'create-function' };

/** Parameters of one function. PostgreSQL's bound. */
const PARAMETERS_MAX = 100;

/** What a function in a script language is made of. */
export interface ScriptFunction {
  readonly name: string;
  readonly parameters: readonly Pick<RoutineParameter, 'name' | 'type'>[];
  /** Of a set: the array of its rows. */
  readonly result: SqlType;
  readonly isSet: boolean;
  readonly strict: boolean;
  readonly body: string;
}

/** Makes the code that computes a function. @throws StreamError SQL_INVALID_FUNCTION for a body that is no program. */
export type CompileScript = (script: ScriptFunction) => ScalarFunction;

/**
 * @param isNew  false for a statement whose body was found good before.
 * @throws StreamError SQL_INVALID_FUNCTION, SQL_RESERVED_NAME, SQL_NOT_SUPPORTED, and what is wrong with the body.
 */
export function bindCreateFunction(
  statement: CreateFunction,
  context: BindContext,
  isNew: boolean,
  compile: CompileScript,
): Omit<Routine, 'id' | 'sql'> {
  const name = routineName(statement, context);
  if (statement.aggregate) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'an aggregate has no body of its own', {
      at: statement.span,
      hint: `Make functions of its steps, then CREATE AGGREGATE ${name}(…) (SFUNC = …, STYPE = …).`,
    });
  }
  const parameters = bindParameters(statement, context);
  const language = languageOf(statement);
  const { result, columns, nameless } = bindReturns(statement, name, context);
  const { strict } = statement;
  const source = statement.body;
  const declared = { name, parameters, result, source, language, strict } as const;
  const volatility = statement.volatility ?? 'volatile';
  if (language === 'sql') {
    const routine = { ...declared, volatility };
    const set = columns && { columns, nameless };
    return { ...routine, body: bindSqlBody(statement, routine, set, isNew ? context : undefined) };
  }
  const isSet = columns !== undefined;
  const array: SqlType = { kind: 'array', element: result };
  const fn = withPlace(statement.span, () =>
    compile({ ...declared, result: isSet ? array : result, isSet, body: statement.body }),
  );
  const body: RoutineBody = isSet ? { kind: 'set', fn, columns, nameless } : { kind: 'call', fn };
  return { ...declared, volatility, body };
}

/** @throws StreamError SQL_RESERVED_NAME for the name of a built-in function, SQL_NOT_SUPPORTED for another schema. */
export function routineName(
  { name }: Pick<CreateFunction, 'name'>,
  { catalog }: BindContext,
): string {
  const bare = name.parts.at(-1)?.name ?? '';
  const schema = name.parts.at(-2)?.name ?? 'public';
  if (schema !== 'public') {
    if (!catalog.schemas().includes(schema)) {
      throw new StreamError('SQL_UNKNOWN_SCHEMA', `schema "${schema}" does not exist`, {
        at: name.span,
      });
    }
    throw new StreamError('SQL_NOT_SUPPORTED', 'functions are in the schema public', {
      at: name.span,
      hint: `Leave "${schema}" out: names of functions are the same in every schema.`,
    });
  }
  if (isBuiltIn(bare)) {
    throw new StreamError('SQL_RESERVED_NAME', `${bare} is the name of a built-in function`, {
      at: name.span,
      hint: 'Choose another name.',
    });
  }
  return bare;
}

function isBuiltIn(name: string): boolean {
  return (
    registry.names().includes(name) ||
    isAggregateName(name, { registry }) ||
    isRankingName(name) ||
    isTableFunction(name) ||
    isRecordFunction(name) ||
    isSessionFunction(name) ||
    isConstruct(name) ||
    isPathCall(name) ||
    isDialectName(name)
  );
}

function languageOf({ language, span }: CreateFunction): 'javascript' | 'sql' {
  const name = language.toLowerCase();
  if (name === 'javascript' || name === 'js') return 'javascript';
  if (name === 'sql') return 'sql';
  throw new StreamError('SQL_UNKNOWN_OBJECT', `language "${language}" does not exist`, {
    at: span,
    hint: 'The languages are javascript and sql.',
  });
}

function bindParameters(statement: CreateFunction, context: BindContext): RoutineParameter[] {
  const { parameters, span } = statement;
  if (parameters.length > PARAMETERS_MAX) {
    throw invalid(`functions cannot have more than ${PARAMETERS_MAX} arguments`, span);
  }
  const seen = new Set<string>();
  let hasDefault = false;
  return parameters.map((parameter) => {
    const { name } = parameter;
    if (name !== undefined && seen.has(name.name)) {
      throw invalid(`parameter name "${name.name}" used more than once`, name.span);
    }
    if (name !== undefined) seen.add(name.name);
    const type = routineType(parameter.type, context);
    if (hasDefault && parameter.default === undefined) {
      throw invalid(
        'input parameters after one with a default value must also have defaults',
        parameter.type.span,
      );
    }
    if (parameter.default !== undefined) {
      hasDefault = true;
      // Without names in sight it can mean the same wherever the function is called.
      const scope = new Scope({ context, parent: undefined, commonTables: new Map() });
      coerce(context.rules.expression(parameter.default, scope), type, context);
    }
    return { name: name?.name, type, default: parameter.default };
  });
}

/** Rows come out of an array, whose elements are not checked one by one. */
function refuseDomainRows(type: SqlType, at: Span): void {
  if (type.domain === undefined) return;
  throw new StreamError('SQL_NOT_SUPPORTED', 'rows of a function cannot hold values of a domain', {
    at,
    hint: 'Write the type that the domain is over, and cast where the rows are read.',
  });
}

interface Returns {
  /** Of a set: the type of one row. */
  readonly result: SqlType;
  readonly columns: readonly Column[] | undefined;
  readonly nameless: boolean;
}

function bindReturns({ returns }: CreateFunction, name: string, context: BindContext): Returns {
  if (returns.kind === 'type') {
    const result = routineType(returns.type, context);
    if (returns.set) refuseDomainRows(result, returns.type.span);
    if (!returns.set) return { result, columns: undefined, nameless: false };
    if (result.kind === 'row') return { result, columns: result.fields, nameless: false };
    return { result, columns: [{ name, type: result, nullable: true }], nameless: true };
  }
  const columns = returns.columns.map((column) => {
    const type = routineType(column.type, context);
    refuseDomainRows(type, column.type.span);
    return { name: column.name.name, type, nullable: true };
  });
  for (const [index, { name: own }] of columns.entries()) {
    if (columns.findIndex((other) => other.name === own) === index) continue;
    throw invalid(`parameter name "${own}" used more than once`, returns.columns[index]?.name.span);
  }
  const [only] = columns;
  if (only !== undefined && columns.length === 1) {
    return { result: only.type, columns, nameless: false };
  }
  return { result: { kind: 'row', fields: columns }, columns, nameless: false };
}

/**
 * @param set  of a function that gives rows.
 * @param context  undefined when the body need not be looked at.
 * @throws StreamError for a body that is not one SELECT of one value of the declared type.
 */
function bindSqlBody(
  statement: CreateFunction,
  routine: Omit<Routine, 'id' | 'sql' | 'body'>,
  set: (Pick<Returns, 'nameless'> & { readonly columns: Schema }) | undefined,
  context: BindContext | undefined,
): RoutineBody {
  const at = statement.name.span;
  const count = routine.parameters.length;
  const body =
    set === undefined
      ? {
          kind: 'expression' as const,
          expression: inBody(routine, at, () => parseBody(statement, count)),
        }
      : {
          kind: 'rows' as const,
          expression: inBody(routine, at, () => parseRows(statement, count, set.columns)),
          ...set,
        };
  if (context !== undefined) bindBody({ ...routine, id: 0, sql: '', body }, body, at, context);
  return body;
}

function parseBody(statement: CreateFunction, parameters: number): Expression {
  const text = withNamedParameters(statement.body, parameters);
  if (statement.returnsExpression === true) return parseExpression(text);
  const query = parseStatement(text);
  if (query.kind !== 'query') {
    throw new StreamError('SQL_NOT_SUPPORTED', 'the body of an SQL function is one SELECT', {
      hint: 'A function cannot change anything.',
    });
  }
  if (query.body.kind === 'select' && query.body.items.length !== 1) {
    throw new StreamError('SQL_INVALID_FUNCTION', 'the SELECT of a function gives one column', {
      hint: 'Put the columns into ROW(…), or make a function for each.',
    });
  }
  return (
    plainExpression(query) ?? { kind: 'scalar-query', query: firstRow(query), span: query.span }
  );
}

/** The array of the rows of a query. @throws StreamError SQL_NOT_SUPPORTED for anything else. */
function parseRows(statement: CreateFunction, parameters: number, columns: Schema): Expression {
  const query = parseStatement(withNamedParameters(statement.body, parameters));
  if (query.kind !== 'query' || statement.returnsExpression === true) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'the body of an SQL function is one SELECT', {
      hint: 'A function cannot change anything.',
    });
  }
  const { span } = query;
  if (columns.length === 1) return { kind: 'array-query', query, span };
  const rows: Identifier = { name: '$rows', quoted: true, span };
  const star: Expression = { kind: 'star', qualifier: { parts: [rows], span }, span };
  const from: FromItem = {
    kind: 'derived',
    query,
    lateral: false,
    alias: { name: rows, columns: [] },
    span,
  };
  const item = {
    expression: { kind: 'row', items: [star], explicit: true, span } as const,
    alias: undefined,
    span,
  };
  return {
    kind: 'array-query',
    query: plainQuery(plainSelect({ items: [item], from: [from] }, span)),
    span,
  };
}

/** `$1` is a column of a table that no query has, so that every subquery finds it. */
function withNamedParameters(body: string, count: number): string {
  let text = '';
  let end = 0;
  for (const token of tokenize(body)) {
    if (token.kind !== 'parameter') continue;
    const number = Number(token.text);
    if (number < 1 || number > count) {
      throw new StreamError('SQL_UNDEFINED_PARAMETER', `there is no parameter $${token.text}`);
    }
    text += `${body.slice(end, token.start)}"${PARAMETER_TABLE}"."$${token.text}"`;
    end = token.end;
  }
  return text + body.slice(end);
}

/** The expression of `SELECT expression`; undefined for a query that does more. */
function plainExpression({
  with: common,
  body,
  orderBy,
  limit,
  offset,
}: Query): Expression | undefined {
  if (common !== undefined || orderBy.length > 0 || limit !== undefined || offset !== undefined) {
    return undefined;
  }
  if (body.kind !== 'select' || body.distinct.kind !== 'all') return undefined;
  const { items, from, where, groupBy, having, qualify } = body;
  const [item] = items;
  const isPlain =
    from.length === 0 && where === undefined && groupBy.length === 0 && having === undefined;
  if (!isPlain || qualify !== undefined || item === undefined || items.length > 1) return undefined;
  return item.expression.kind === 'star' ? undefined : item.expression;
}

/** A function of SQL gives the first of its query's rows, where a subquery would fail. */
function firstRow(query: Query): Query {
  if (query.limit !== undefined || query.withTies) return query;
  return { ...query, limit: { kind: 'number', text: '1', span: query.span } };
}

export function invalid(message: string, at: Span | undefined, hint?: string): StreamError {
  return new StreamError('SQL_INVALID_FUNCTION', message, { at, hint });
}

function withPlace<Result>(at: Span, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof StreamError) || error.at !== undefined) throw error;
    const { code, message, hint, detail } = error;
    throw new StreamError(code, message, { at, hint, detail, cause: error });
  }
}
