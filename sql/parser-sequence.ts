/** CREATE SEQUENCE and ALTER SEQUENCE, and the options of identity columns. */
import type { SequenceOption } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { Cursor } from './parser-cursor.ts';
import { columnName, qualifiedName } from './parser-name.ts';
import { parseType } from './parser-type.ts';

/** After CREATE SEQUENCE. */
export function parseCreateSequence(cursor: Cursor, start: number): Statement {
  const ifNotExists = cursor.acceptWords('if', 'not', 'exists');
  const name = qualifiedName(cursor);
  const options = namelessOptions(cursor);
  const span = cursor.spanFrom(start);
  return { kind: 'create-sequence', ifNotExists, name, options, span };
}

/** After ALTER SEQUENCE. */
export function parseAlterSequence(cursor: Cursor, start: number): Statement {
  const ifExists = cursor.acceptWords('if', 'exists');
  const name = qualifiedName(cursor);
  const rename = cursor.acceptWords('rename', 'to') ? columnName(cursor) : undefined;
  const options = rename === undefined ? namelessOptions(cursor) : [];
  const span = cursor.spanFrom(start);
  return { kind: 'alter-sequence', ifExists, name, options, rename, span };
}

/** Of a sequence that has its name already. */
function namelessOptions(cursor: Cursor): readonly SequenceOption[] {
  const options = parseSequenceOptions(cursor);
  const named = options.find(({ kind }) => kind === 'name');
  if (named === undefined) return options;
  throw cursor.error('invalid sequence option SEQUENCE NAME', named.span);
}

export function parseParenthesizedSequenceOptions(cursor: Cursor): readonly SequenceOption[] {
  cursor.expectSymbol('(');
  const options = parseSequenceOptions(cursor);
  cursor.expectSymbol(')');
  return options;
}

function parseSequenceOptions(cursor: Cursor): readonly SequenceOption[] {
  const options: SequenceOption[] = [];
  for (;;) {
    const start = cursor.start;
    const option = parseSequenceOption(cursor);
    if (option === undefined) return options;
    options.push({ ...option, span: cursor.spanFrom(start) });
  }
}

type Body<Option> = Option extends unknown ? Omit<Option, 'span'> : never;

export function parseSequenceOption(cursor: Cursor): Body<SequenceOption> | undefined {
  if (cursor.accept('as')) return { kind: 'type', type: parseType(cursor) };
  if (cursor.accept('increment')) {
    cursor.accept('by');
    return { kind: 'increment', value: signedInteger(cursor) };
  }
  if (cursor.accept('no')) return parseNegated(cursor);
  if (cursor.accept('minvalue')) return { kind: 'min', value: signedInteger(cursor) };
  if (cursor.accept('maxvalue')) return { kind: 'max', value: signedInteger(cursor) };
  if (cursor.accept('start')) {
    cursor.accept('with');
    return { kind: 'start', value: signedInteger(cursor) };
  }
  if (cursor.accept('restart')) {
    const isGiven = cursor.accept('with') || cursor.token.kind === 'number' || cursor.atSymbol('-');
    return { kind: 'restart', value: isGiven ? signedInteger(cursor) : undefined };
  }
  if (cursor.accept('cache')) return { kind: 'cache', value: signedInteger(cursor) };
  if (cursor.accept('cycle')) return { kind: 'cycle', value: true };
  if (cursor.acceptWords('owned', 'by')) {
    if (cursor.accept('none')) return { kind: 'owned-by', column: undefined };
    return { kind: 'owned-by', column: qualifiedName(cursor) };
  }
  if (cursor.acceptWords('sequence', 'name')) return { kind: 'name', name: qualifiedName(cursor) };
  return undefined;
}

function parseNegated(cursor: Cursor): Body<SequenceOption> {
  const word = cursor.expectOneOf('minvalue', 'maxvalue', 'cycle');
  if (word === 'cycle') return { kind: 'cycle', value: false };
  return { kind: word === 'minvalue' ? 'min' : 'max', value: undefined };
}

function signedInteger(cursor: Cursor): bigint {
  const isNegative = cursor.acceptSymbol('-');
  if (!isNegative) cursor.acceptSymbol('+');
  const { kind, text } = cursor.token;
  if (kind !== 'number' || !/^\d+$/.test(text)) throw cursor.unexpected('an integer');
  cursor.advance();
  return isNegative ? -BigInt(text) : BigInt(text);
}
