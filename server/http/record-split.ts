import { isUtf8 } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';
import type { IngestRecord } from '../database.ts';
import { JsonFault, skipSpace, skipValue } from './json-text.ts';

export interface SplitLimits {
  readonly recordsPerRequestMax: number;
  readonly jsonDepthMax: number;
}

const NEWLINE = 0x0a;

/**
 * Cuts the body of an ingest request into records: a JSON array gives its elements, anything else is
 * NDJSON, one JSON value a line, blank lines skipped. The records are slices of the body, so nothing is
 * copied and every digit stays.
 * @param lines  the client said NDJSON: a line may then hold an array that is one record.
 * @throws StreamError RECORD_MALFORMED naming the index of the first bad record; REQUEST_TOO_LARGE.
 */
export function splitRecords(body: Buffer, lines: boolean, limits: SplitLimits): IngestRecord[] {
  if (!isUtf8(body)) throw new StreamError('RECORD_MALFORMED', 'the body is not valid UTF-8');
  const start = skipByteOrderMark(body);
  const first = skipSpace(body, start);
  return !lines && body[first] === 0x5b
    ? splitArray(body, first, limits)
    : splitLines(body, start, limits);
}

function skipByteOrderMark(body: Buffer): number {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
}

function splitArray(body: Buffer, open: number, limits: SplitLimits): IngestRecord[] {
  const records: IngestRecord[] = [];
  let next = skipSpace(body, open + 1);
  let more = body[next] !== 0x5d;
  while (more) {
    const end = readValue(body, next, records.length, limits);
    records.push({ value: body.subarray(next, end) });
    const after = skipSpace(body, end);
    more = body[after] === 0x2c;
    if (!more && body[after] !== 0x5d) {
      throw malformed(records.length - 1, '"," or "]" is expected after it', after);
    }
    next = more ? skipSpace(body, after + 1) : after;
  }
  const rest = skipSpace(body, next + 1);
  if (rest < body.length) {
    throw malformed(records.length, 'text follows the end of the array', rest);
  }
  return records;
}

function splitLines(body: Buffer, start: number, limits: SplitLimits): IngestRecord[] {
  const records: IngestRecord[] = [];
  for (let line = start; line < body.length; ) {
    const newline = body.indexOf(NEWLINE, line);
    const lineEnd = newline === -1 ? body.length : newline;
    const first = skipSpace(body, line);
    if (first < lineEnd) {
      // The slice stops a value from running on into the next line.
      const text = body.subarray(0, lineEnd);
      const end = readValue(text, first, records.length, limits);
      if (skipSpace(text, end) < lineEnd) {
        throw malformed(records.length, 'text follows the value on its line', end);
      }
      records.push({ value: body.subarray(first, end) });
    }
    line = lineEnd + 1;
  }
  return records;
}

function readValue(body: Buffer, at: number, index: number, limits: SplitLimits): number {
  if (index >= limits.recordsPerRequestMax) {
    throw new StreamError(
      'REQUEST_TOO_LARGE',
      `a request may hold at most ${limits.recordsPerRequestMax} records`,
      { hint: 'Split the records over several requests.' },
    );
  }
  try {
    return skipValue(body, at, limits.jsonDepthMax);
  } catch (error) {
    if (error instanceof JsonFault) throw malformed(index, error.message, error.at);
    throw error;
  }
}

function malformed(index: number, why: string, at: number): StreamError {
  return new StreamError('RECORD_MALFORMED', `record ${index} is not JSON: ${why} (byte ${at})`, {
    hint: 'Nothing of this request was written. Send a JSON array, or one JSON value a line.',
    detail: `record ${index}`,
  });
}
