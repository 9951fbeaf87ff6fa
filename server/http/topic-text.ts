import { isUtf8 } from 'node:buffer';
import type { RecordHeader, StoredRecord } from '../../connectors/connector.ts';
import { JsonFault, minify, wholeValue } from './json-text.ts';

/**
 * One stored record as JSON: keys and values that are JSON documents appear as such (digits kept), other text as
 * a string, other bytes as base64 with a second member `valueBase64` (`keyBase64`) that says so.
 */
export function recordText(record: StoredRecord, depthMax: number): string {
  const { partition, offset, timestampMs } = record;
  const head = `{"partition":${partition},"offset":${offset},"timestamp":${timestampMs}`;
  const key = memberText('key', record.key, depthMax);
  const value = memberText('value', record.value, depthMax);
  return `${head},${key},${value},"headers":${headersText(record.headers)}}`;
}

function memberText(name: string, bytes: Buffer | null, depthMax: number): string {
  if (bytes === null) return `"${name}":null`;
  if (!isUtf8(bytes)) {
    const encoded = JSON.stringify(bytes.toString('base64'));
    return `"${name}":${encoded},"${name}Base64":${encoded}`;
  }
  return `"${name}":${documentText(bytes, depthMax) ?? JSON.stringify(bytes.toString('utf8'))}`;
}

function documentText(bytes: Buffer, depthMax: number): string | undefined {
  try {
    return minify(bytes, wholeValue(bytes, depthMax)).toString('utf8');
  } catch (error) {
    if (error instanceof JsonFault) return undefined;
    throw error;
  }
}

/** `{"name": value}`; a name that comes several times has the array of its values. */
function headersText(headers: readonly RecordHeader[]): string {
  const values = new Map<string, unknown[]>();
  for (const { key, value } of headers) {
    const list = values.get(key) ?? [];
    list.push(headerValue(value));
    values.set(key, list);
  }
  const members = [...values].map(
    ([name, list]) =>
      `${JSON.stringify(name)}:${JSON.stringify(list.length === 1 ? list[0] : list)}`,
  );
  return `{${members.join(',')}}`;
}

function headerValue(value: Buffer | null): unknown {
  if (value === null) return null;
  return isUtf8(value) ? value.toString('utf8') : { base64: value.toString('base64') };
}
