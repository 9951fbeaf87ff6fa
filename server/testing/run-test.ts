import { StreamError } from '../../sql/base/error.ts';
import { like } from '../../sql/base/like.ts';
import type { Schema } from '../../sql/base/type.ts';
import { typeName } from '../../sql/base/type.ts';
import { renderError } from '../../sql/caret.ts';
import { unwrap } from '../http/failure.ts';
import { rowDifference, type TextRow } from './row-diff.ts';
import {
  type AssertedTarget,
  type ErrorAssertion,
  parseStep,
  type RowsAssertion,
  type Step,
} from './step.ts';
import { type FoundRows, TestBed } from './test-bed.ts';
import type { FileStatement, FileTest } from './test-file.ts';

/** Why a test failed: the statement, its line in the file, and what is wrong, line by line. */
export interface TestFailure {
  readonly line: number;
  readonly statement: string;
  readonly lines: readonly string[];
}

/** Runs one test in a database of its own. @returns why it failed; undefined when it passed. */
export async function runTest(test: FileTest): Promise<TestFailure | undefined> {
  const bed = await TestBed.open();
  try {
    for (const statement of test.statements) {
      const lines = await runStatement(bed, statement);
      if (lines !== undefined) return { line: statement.line, statement: statement.text, lines };
    }
    return undefined;
  } finally {
    await bed.close();
  }
}

async function runStatement(
  bed: TestBed,
  { text }: FileStatement,
): Promise<readonly string[] | undefined> {
  try {
    return await runStep(bed, parseStep(text));
  } catch (error) {
    const failure = unwrap(error).cause;
    // Anything else is a bug of ours, and the other tests go on.
    if (!(failure instanceof StreamError)) return [String((error as Error).stack)];
    return renderError(failure, text).split('\n');
  }
}

async function runStep(bed: TestBed, step: Step): Promise<readonly string[] | undefined> {
  switch (step.kind) {
    case 'sql':
      await bed.run(step.text);
      return undefined;
    case 'advance':
      if (await bed.advance(step.by, step.to)) return undefined;
      return ['time does not go back'];
    case 'assert-rows':
      return assertRows(bed, step);
    case 'assert-error':
      return assertError(bed, step);
  }
}

async function assertRows(
  bed: TestBed,
  assertion: RowsAssertion,
): Promise<readonly string[] | undefined> {
  const { expected, isOrdered } = assertion;
  const { schema, rows } = await foundBy(bed, assertion);
  const columns = schema.map(({ name, type }) => ({ name, type: typeName(type) }));
  const odd = expected.find((row) => row.length !== schema.length);
  if (odd !== undefined) {
    const names = columns.map(({ name }) => name).join(', ');
    return [`a row of ${odd.length} values is compared with ${schema.length} columns: ${names}`];
  }
  return rowDifference(columns, await bed.valuesAs(schema, expected), rows, isOrdered);
}

function foundBy(bed: TestBed, assertion: RowsAssertion): Promise<FoundRows> {
  const { thing, target, columns } = assertion;
  if (target.kind === 'query') return bed.query(target.sql);
  const list = columns?.join(', ') ?? '*';
  switch (thing) {
    case 'rows':
      return bed.query(`SELECT ${list} FROM ${target.sql}`);
    case 'late':
      return bed.query(`SELECT ${list} FROM ${target.sql}_late`);
    case 'values':
    case 'deleted':
      return changes(bed, target, thing, columns);
  }
}

async function changes(
  bed: TestBed,
  target: AssertedTarget & { readonly kind: 'relation' },
  thing: 'values' | 'deleted',
  columns: readonly string[] | undefined,
): Promise<FoundRows> {
  const found = await bed.changesOf(target, thing === 'values' ? 'came' : 'left');
  return columns === undefined ? found : pick(found, columns);
}

function pick({ schema, rows }: FoundRows, columns: readonly string[]): FoundRows {
  const places = columns.map((text) => {
    const name = text.startsWith('"')
      ? text.slice(1, -1).replaceAll('""', '"')
      : text.toLowerCase();
    const place = schema.findIndex((column) => column.name === name);
    if (place >= 0) return place;
    throw new StreamError('SQL_UNKNOWN_COLUMN', `column "${name}" does not exist`);
  });
  const picked: Schema = places.flatMap((place) => schema[place] ?? []);
  const pickRow = (row: TextRow): TextRow => places.map((place) => row[place] ?? null);
  return { schema: picked, rows: rows.map(pickRow) };
}

async function assertError(
  bed: TestBed,
  { sqlstate, pattern, statement }: ErrorAssertion,
): Promise<readonly string[] | undefined> {
  const error = await errorOf(bed, statement);
  if (error === undefined) return ['an error was expected, and there is none'];
  const found = error.facts.sqlstate;
  const isState = sqlstate === undefined || sqlstate === found;
  const isText = pattern === undefined || like(error.message, pattern);
  if (isState && isText) return undefined;
  return [
    ...(isState ? [] : [`- SQLSTATE ${sqlstate}`, `+ SQLSTATE ${found}`]),
    ...(isText ? [] : [`- LIKE ${pattern}`]),
    ...renderError(error, statement)
      .split('\n')
      .map((line) => `+ ${line}`),
  ];
}

async function errorOf(bed: TestBed, statement: string): Promise<StreamError | undefined> {
  try {
    await bed.run(statement);
    return undefined;
  } catch (error) {
    const { cause } = unwrap(error);
    if (cause instanceof StreamError) return cause;
    throw error;
  }
}
