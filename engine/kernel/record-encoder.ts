/**
 * Rows to records: the inverse of the record decoder. Values and keys in the formats that a stream's WITH (…)
 * names; ksqlDB's KAFKA format for keys (big-endian numbers, UTF-8 text).
 */
import { bytesToBase64 } from '../../sql/base/bytea.ts';
import type { Datum, Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { quoteJson } from '../../sql/base/json.ts';
import { jsonWriter, toText } from '../../sql/base/text-output.ts';
import type { SqlType } from '../../sql/base/type.ts';

export interface EncodedField {
  /** Number of the column in the row. */
  readonly column: number;
  /** Name of the member; undefined when the whole key or value is this one column. */
  readonly field: string | undefined;
  readonly type: SqlType;
}

export type EncodeFields = (row: Row) => Buffer | null;

/** Formats that rows can be written in. */
export const ENCODED_FORMATS = ['json', 'kafka', 'raw', 'delimited', 'csv', 'none'] as const;

/**
 * @param delimiter  between the fields of a delimited record.
 * @returns a function from a row to the bytes of these fields; null where every field of a key is NULL.
 * @throws StreamError SQL_INVALID_OPTION for a format that is not one of ENCODED_FORMATS.
 */
export function compileFieldEncoder(
  format: string,
  fields: readonly EncodedField[],
  delimiter = ',',
): EncodeFields {
  switch (format) {
    case 'none':
      return () => null;
    case 'json':
      return encodeJson(fields);
    case 'delimited':
    case 'csv':
      return (row) =>
        Buffer.from(
          fields
            .map((field) => delimitedText(row[field.column] ?? null, field, delimiter))
            .join(delimiter),
        );
    case 'kafka':
    case 'raw':
      return encodeSingle(format, fields);
    default:
      throw new StreamError('SQL_INVALID_OPTION', `cannot write format "${format}"`, {
        hint: `Formats that can be written: ${ENCODED_FORMATS.join(', ')}.`,
      });
  }
}

function encodeJson(fields: readonly EncodedField[]): EncodeFields {
  const writers = fields.map(({ type }) => recordJsonWriter(type));
  const [single] = fields;
  if (fields.length === 1 && single !== undefined && single.field === undefined) {
    return (row) => {
      const value = row[single.column] ?? null;
      return value === null ? null : Buffer.from(writers[0]?.(value) ?? 'null');
    };
  }
  const names = fields.map(({ field }, i) => `${i === 0 ? '{' : ','}${quoteJson(field ?? '')}:`);
  return (row) => {
    let text = '';
    for (let i = 0; i < fields.length; i++) {
      const value = row[fields[i]?.column ?? 0] ?? null;
      text += names[i] + (value === null ? 'null' : (writers[i]?.(value) ?? 'null'));
    }
    return Buffer.from(fields.length === 0 ? '{}' : `${text}}`);
  };
}

/** As the JSON scanner reads it: bytes travel as base64, the rest as the HTTP API prints it. */
function recordJsonWriter(type: SqlType): (value: Datum) => string {
  if (type.kind === 'bytea') return (value) => quoteJson(bytesToBase64(value as Uint8Array));
  return jsonWriter(type);
}

/** RFC 4180: quoted when the text holds the delimiter, a quote or a line end; NULL is the empty field. */
function delimitedText(value: Datum | null, field: EncodedField, delimiter: string): string {
  if (value === null) return '';
  const text = toText(value, field.type);
  const isOdd = text === '' || text.includes(delimiter) || /["\r\n]/.test(text);
  return isOdd ? `"${text.replaceAll('"', '""')}"` : text;
}

function encodeSingle(format: string, fields: readonly EncodedField[]): EncodeFields {
  const [only] = fields;
  if (fields.length === 0 || only === undefined) return () => null;
  if (fields.length > 1) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      `format "${format}" holds one column, not ${fields.length}`,
      {
        hint: "Use key_format = 'json' for keys of several columns.",
      },
    );
  }
  const { column, type } = only;
  return (row) => {
    const value = row[column] ?? null;
    return value === null ? null : bytesOf(value, type);
  };
}

function bytesOf(value: Datum, type: SqlType): Buffer {
  switch (type.kind) {
    case 'smallint':
    case 'integer': {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeInt32BE(value as number);
      return bytes;
    }
    case 'bigint': {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64BE(value as bigint);
      return bytes;
    }
    case 'real':
    case 'double': {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeDoubleBE(value as number);
      return bytes;
    }
    case 'bytea':
      return Buffer.from(value as Uint8Array);
    default:
      return Buffer.from(toText(value, type));
  }
}
