/** CREATE FUNCTION, CREATE AGGREGATE, and how DROP names them. */

import type { QualifiedName, TypeName } from './ast.ts';
import type { AggregateOption } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import {
  functionOrTypeName,
  isFunctionName,
  label,
  nonReservedWord,
  qualifiedFunctionName,
} from './parser-name.ts';
import { parseType } from './parser-type.ts';

type CreateFunction = Extract<Statement, { kind: 'create-function' }>;
type Parameter = CreateFunction['parameters'][number];

interface FunctionClauses {
  language: string | undefined;
  volatility: CreateFunction['volatility'];
  strict: boolean;
  body: string | undefined;
  returnsExpression: boolean;
}

/** The statement from FUNCTION or AGGREGATE on. */
export function parseCreateFunction(cursor: Cursor, start: number, orReplace: boolean): Statement {
  const aggregate = cursor.expectOneOf('function', 'aggregate') === 'aggregate';
  const name = qualifiedFunctionName(cursor);
  const parameters = parseParameters(cursor, aggregate);
  if (aggregate && cursor.atSymbol('(')) {
    const options = cursor.parenthesized(() => parseAggregateOption(cursor));
    const span = cursor.spanFrom(start);
    return { kind: 'create-aggregate', orReplace, name, parameters, options, span };
  }
  cursor.expect('returns');
  const returns = parseReturns(cursor);
  const clauses: FunctionClauses = {
    language: undefined,
    volatility: undefined,
    strict: false,
    body: undefined,
    returnsExpression: false,
  };
  while (parseFunctionClause(cursor, clauses));
  const { body, volatility, strict, returnsExpression } = clauses;
  const language = clauses.language ?? (returnsExpression ? 'sql' : undefined);
  const span = cursor.spanFrom(start);
  if (language === undefined) throw cursor.error('no language specified', span);
  if (body === undefined) throw cursor.error('no function body specified', span);
  return {
    kind: 'create-function',
    orReplace,
    aggregate,
    name,
    parameters,
    returns,
    language,
    volatility,
    strict,
    body,
    ...(returnsExpression ? { returnsExpression } : {}),
    span,
  };
}

function parseParameters(cursor: Cursor, aggregate: boolean): Parameter[] {
  cursor.expectSymbol('(');
  const isNone = cursor.atSymbol(')') || (aggregate && cursor.acceptSymbol('*'));
  const parameters = isNone ? [] : cursor.list(() => parseParameter(cursor));
  cursor.expectSymbol(')');
  return parameters;
}

/** `[IN] [name] type [DEFAULT expression]`. */
function parseParameter(cursor: Cursor): Parameter {
  const { name, type } = parseNamedType(cursor);
  const hasDefault = cursor.accept('default') || cursor.acceptSymbol('=');
  return { name, type, default: hasDefault ? cursor.grammar.expression(cursor) : undefined };
}

function parseNamedType(cursor: Cursor): Pick<Parameter, 'name' | 'type'> {
  if (cursor.at('out') || cursor.at('inout') || cursor.at('variadic')) {
    throw cursor.unsupported(`a parameter that is ${cursor.token.text.toUpperCase()}`);
  }
  cursor.accept('in');
  // A name is a word that a type follows.
  const next = cursor.peek(1);
  const followed = next.kind === 'word' && next.text !== 'default' && next.text !== 'array';
  const isTypeOfTwoWords = ['precision', 'varying', 'with', 'without'].includes(next.text);
  const named =
    isFunctionName(cursor.token) && (followed || next.kind === 'quoted') && !isTypeOfTwoWords;
  const name = named ? functionOrTypeName(cursor) : undefined;
  return { name, type: parseType(cursor) };
}

function parseReturns(cursor: Cursor): CreateFunction['returns'] {
  if (cursor.at('table') && cursor.symbolAhead(1, '(')) {
    cursor.advance();
    const columns = cursor.parenthesized(() => {
      const name = functionOrTypeName(cursor);
      return { name, type: parseType(cursor) };
    });
    return { kind: 'table', columns };
  }
  const set = cursor.accept('setof');
  return { kind: 'type', type: parseType(cursor), set };
}

function parseFunctionClause(cursor: Cursor, clauses: FunctionClauses): boolean {
  const volatility = cursor.acceptOneOf('immutable', 'stable', 'volatile');
  if (volatility !== undefined) {
    clauses.volatility = volatility;
  } else if (clauses.language === undefined && cursor.accept('language')) {
    const { kind } = cursor.token;
    clauses.language = kind === 'string' ? cursor.expectString() : nonReservedWord(cursor).name;
  } else if (
    cursor.accept('strict') ||
    cursor.acceptWords('returns', 'null', 'on', 'null', 'input')
  ) {
    clauses.strict = true;
  } else if (cursor.acceptWords('called', 'on', 'null', 'input')) {
    clauses.strict = false;
  } else if (clauses.body === undefined && cursor.accept('as')) {
    clauses.body = cursor.expectString();
  } else if (clauses.body === undefined && cursor.accept('return')) {
    const at = cursor.start;
    cursor.grammar.expression(cursor);
    const { start, end } = cursor.spanFrom(at);
    clauses.body = cursor.source.slice(start, end);
    clauses.returnsExpression = true;
  } else if (cursor.at('begin') && cursor.wordAhead(1, 'atomic')) {
    throw cursor.unsupported('a body between BEGIN ATOMIC and END');
  } else {
    return acceptPlannerHint(cursor);
  }
  return true;
}

/** What tells PostgreSQL's planner and executor how to run the function, and changes no result. */
function acceptPlannerHint(cursor: Cursor): boolean {
  if (cursor.accept('leakproof') || cursor.acceptWords('not', 'leakproof')) return true;
  if (cursor.acceptWords('security', 'invoker')) return true;
  if (cursor.accept('parallel')) {
    cursor.expectOneOf('safe', 'unsafe', 'restricted');
    return true;
  }
  if (!cursor.accept('cost') && !cursor.accept('rows')) return false;
  if (cursor.token.kind !== 'number') throw cursor.unexpected('a number');
  cursor.advance();
  return true;
}

const TYPE_KEYS: ReadonlySet<string> = new Set(['stype', 'mstype']);

/** `SFUNC = name`, `STYPE = type`, `INITCOND = '0'`. */
function parseAggregateOption(cursor: Cursor): AggregateOption {
  const start = cursor.start;
  const key = label(cursor).name.toLowerCase();
  const option = (value: AggregateOption['value']): AggregateOption => ({
    key,
    value,
    span: cursor.spanFrom(start),
  });
  if (!cursor.acceptSymbol('=')) return option({ kind: 'text', text: 'true' });
  if (TYPE_KEYS.has(key)) return option({ kind: 'type', type: parseType(cursor) });
  if (cursor.token.kind === 'string' || cursor.token.kind === 'number') {
    return option({ kind: 'text', text: cursor.advance().text });
  }
  if (cursor.symbolAhead(0, '-') && cursor.peek(1).kind === 'number') {
    cursor.advance();
    return option({ kind: 'text', text: `-${cursor.advance().text}` });
  }
  return option({ kind: 'name', name: qualifiedFunctionName(cursor) });
}

/** `f`, `f(integer, text)`: without types it must be the only function of its name. */
export function parseFunctionSignature(cursor: Cursor): {
  readonly name: QualifiedName;
  readonly types: readonly TypeName[] | undefined;
} {
  const name = qualifiedFunctionName(cursor);
  if (!cursor.acceptSymbol('(')) return { name, types: undefined };
  if (cursor.acceptSymbol(')')) return { name, types: [] };
  const isAny = cursor.acceptSymbol('*');
  const types = isAny ? [] : cursor.list(() => parseNamedType(cursor).type);
  cursor.expectSymbol(')');
  return { name, types };
}
