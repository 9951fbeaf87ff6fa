import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { StatementResult } from '../database.ts';
import { ReaderGone, type TextSink } from './answer.ts';
import { arrayWriter, columnsJson, type RowWriter, type ValueFormat } from './row-text.ts';

type Finite = Exclude<StatementResult, { readonly kind: 'subscription' }>;

/** Characters that are joined before they are written; keeps small writes off the stream. */
const CHUNK_LENGTH = 64 * 1024;

/**
 * Writes one item of `results` as JSON. When its rows fail midway the item is closed as `"incomplete":true`, so that
 * an answer which is already on its way stays JSON, and the error is thrown on.
 * @throws StreamError REQUEST_TOO_LARGE past `rowsMax` rows.
 */
export async function writeResult(
  result: Finite,
  format: ValueFormat,
  rowsMax: number,
  sink: TextSink,
): Promise<void> {
  if (result.kind === 'ok') {
    await sink.write(JSON.stringify({ kind: 'ok', tag: result.tag, message: result.message }));
    return;
  }
  await sink.write(`{"kind":"rows","columns":${columnsJson(result.schema)},"rows":[`);
  let count: number;
  try {
    const writer = arrayWriter(result.schema, format, result.zone);
    count = await writeRows(writer, result.chunks, rowsMax, sink);
  } catch (error) {
    if (!(error instanceof ReaderGone)) await sink.write('],"incomplete":true}');
    throw error;
  }
  // PostgreSQL's tag of a query counts its rows, so it comes after them.
  const tag = result.tag === 'SELECT' ? `SELECT ${count}` : result.tag;
  await sink.write(`],"tag":${JSON.stringify(tag)}}`);
}

/** Rows as JSON arrays, separated by commas. @returns how many. */
export async function writeRows(
  writer: RowWriter,
  chunks: AsyncIterable<readonly Row[]>,
  rowsMax: number,
  sink: TextSink,
): Promise<number> {
  let count = 0;
  let pending = '';
  for await (const rows of chunks) {
    for (const row of rows) {
      if (++count > rowsMax) throw tooManyRows(rowsMax);
      pending += count === 1 ? writer(row) : `,${writer(row)}`;
      if (pending.length >= CHUNK_LENGTH) {
        await sink.write(pending);
        pending = '';
      }
    }
  }
  if (pending !== '') await sink.write(pending);
  return count;
}

export function tooManyRows(rowsMax: number): StreamError {
  return new StreamError('REQUEST_TOO_LARGE', `the result has more than ${rowsMax} rows`, {
    hint: 'Use LIMIT, or raise MILLRACE_RESULT_ROWS_MAX.',
  });
}
