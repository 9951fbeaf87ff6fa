import type { ProduceRecord, RecordHeader } from '../../connectors/connector.ts';
import { StreamError } from '../../sql/base/error.ts';
import { arrayElements, type JsonSpan, minify, objectMembers } from './json-text.ts';
import { bodyMembers, parseAt } from './sql-body.ts';

export interface TopicBodyLimits {
  readonly recordsPerRequestMax: number;
  readonly jsonDepthMax: number;
}

/** Members of one record, by name, with their place in the body. */
type Members = ReadonlyMap<string, JsonSpan>;

const knownMembers = new Set([
  'key',
  'keyBase64',
  'value',
  'valueBase64',
  'timestamp',
  'partition',
  'headers',
]);

/**
 * Reads the body of `POST /v1/topics/TOPIC/records`: a string stands for its raw text, other JSON for itself
 * (white space between tokens dropped, digits kept), `null` for a tombstone, `…Base64` for bytes.
 * @throws StreamError RECORD_MALFORMED naming the index of the record; REQUEST_INVALID, REQUEST_TOO_LARGE.
 */
export function parseTopicBody(body: Buffer, limits: TopicBodyLimits): ProduceRecord[] {
  const depthMax = limits.jsonDepthMax;
  const records = bodyMembers(body, depthMax).get('records');
  if (records === undefined || body[records.start] !== 0x5b) {
    throw new StreamError('REQUEST_INVALID', '"records" must be an array');
  }
  const elements = arrayElements(body, records, depthMax);
  if (elements.length > limits.recordsPerRequestMax) {
    throw new StreamError(
      'REQUEST_TOO_LARGE',
      `a request may hold at most ${limits.recordsPerRequestMax} records`,
    );
  }
  return elements.map((element, index) => {
    if (body[element.start] !== 0x7b) throw malformed(index, 'it must be an object');
    const members = new Map(
      objectMembers(body, element, depthMax).map(({ name, value }) => [name, value]),
    );
    return parseRecord(body, members, index, depthMax);
  });
}

function parseRecord(
  body: Buffer,
  members: Members,
  index: number,
  depthMax: number,
): ProduceRecord {
  for (const name of members.keys()) {
    if (!knownMembers.has(name)) throw malformed(index, `unknown member "${name}"`);
  }
  return {
    key: parseBytes(body, members, 'key', index),
    value: parseBytes(body, members, 'value', index),
    timestampMs: parseTimestamp(body, members, index),
    partition: parsePartition(body, members, index),
    headers: parseHeaders(body, members.get('headers'), index, depthMax),
  };
}

function parseBytes(
  body: Buffer,
  members: Members,
  name: 'key' | 'value',
  index: number,
): Buffer | null {
  const plain = members.get(name);
  const encoded = members.get(`${name}Base64`);
  if (encoded === undefined) return plain === undefined ? null : bytesOf(body, plain);
  if (plain !== undefined) throw malformed(index, `it has both "${name}" and "${name}Base64"`);
  return decodeBase64(parseAt(body, encoded), `"${name}Base64"`, index);
}

function bytesOf(body: Buffer, span: JsonSpan): Buffer | null {
  if (body[span.start] === 0x22) return Buffer.from(String(parseAt(body, span)), 'utf8');
  return body[span.start] === 0x6e ? null : minify(body, span);
}

function decodeBase64(text: unknown, name: string, index: number): Buffer {
  const valid = typeof text === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(text);
  if (!valid) throw malformed(index, `${name} must be base64`);
  return Buffer.from(text, 'base64');
}

/** Milliseconds since 1970, or ISO-8601 text with a zone. */
function parseTimestamp(body: Buffer, members: Members, index: number): number | undefined {
  const span = members.get('timestamp');
  const value = span === undefined ? null : parseAt(body, span);
  if (value === null) return undefined;
  const ms = typeof value === 'string' && isoPattern.test(value) ? Date.parse(value) : value;
  if (typeof ms !== 'number' || !Number.isSafeInteger(ms) || ms < 0) {
    throw malformed(index, '"timestamp" must be milliseconds since 1970 or ISO-8601 text');
  }
  return ms;
}

const isoPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

function parsePartition(body: Buffer, members: Members, index: number): number | undefined {
  const span = members.get('partition');
  const value = span === undefined ? null : parseAt(body, span);
  if (value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(index, '"partition" must be a whole number from 0');
  }
  return value;
}

/** `{"name": "text" | null | {"base64": …} | [several of these]}`. */
function parseHeaders(
  body: Buffer,
  span: JsonSpan | undefined,
  index: number,
  depthMax: number,
): readonly RecordHeader[] | undefined {
  if (span === undefined || body[span.start] === 0x6e) return undefined;
  if (body[span.start] !== 0x7b) throw malformed(index, '"headers" must be an object');
  return objectMembers(body, span, depthMax).flatMap(({ name, value }) => {
    const parsed = parseAt(body, value);
    const values: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    return values.map((one) => ({ key: name, value: headerBytes(one, index) }));
  });
}

function headerBytes(value: unknown, index: number): Buffer | null {
  if (value === null) return null;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'object' && 'base64' in value) {
    return decodeBase64(value.base64, 'a header', index);
  }
  throw malformed(index, 'a header must be a string, null or {"base64": …}');
}

function malformed(index: number, why: string): StreamError {
  return new StreamError('RECORD_MALFORMED', `record ${index} cannot be written: ${why}`, {
    hint: 'Nothing of this request was written.',
    detail: `record ${index}`,
  });
}
