/** Rows as COPY's text (CopyAttributeOutText) or CSV (CopyAttributeOutCSV). */
import type { Row } from '../../sql/base/datum.ts';
import { textWriter, zonedTextWriter } from '../../sql/base/text-output.ts';
import { zoneByName } from '../../sql/base/timezone.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { CopyFormat } from '../../sql/copy-format.ts';

export interface CopyWriter {
  /** The header line; empty without one. */
  readonly header: string;
  readonly line: (row: Row) => string;
}

/** @param zone  of the session, when it is not UTC. */
export function copyWriter(
  schema: Schema,
  format: CopyFormat,
  zone: string | undefined,
): CopyWriter {
  const { delimiter, nullText } = format;
  const encode = format.format === 'csv' ? csvEncoder(schema, format) : textEncoder(format);
  const writers = schema.map(({ type }) =>
    zone === undefined ? textWriter(type) : zonedTextWriter(type, zoneByName(zone)),
  );
  const line = (row: Row): string => {
    const fields = writers.map((write, i) => {
      const datum = row[i] ?? null;
      return datum === null ? nullText : encode(write(datum), i);
    });
    return `${fields.join(delimiter)}\n`;
  };
  return { header: headerLine(schema, format), line };
}

/** Names are quoted where they must be, whatever FORCE_QUOTE says. */
function headerLine(schema: Schema, format: CopyFormat): string {
  if (format.header === 'none') return '';
  const plain = { ...format, forceQuote: new Set<string>() };
  const encode = format.format === 'csv' ? csvEncoder(schema, plain) : textEncoder(format);
  return `${schema.map(({ name }, i) => encode(name, i)).join(format.delimiter)}\n`;
}

type Encode = (text: string, column: number) => string;

const escapes: ReadonlyMap<string, string> = new Map([
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

function textEncoder({ delimiter }: CopyFormat): Encode {
  return (text) => {
    let encoded = '';
    for (const character of text) {
      const isSpecial = character === '\\' || character === delimiter;
      encoded += escapes.get(character) ?? (isSpecial ? `\\${character}` : character);
    }
    return encoded;
  };
}

function csvEncoder(schema: Schema, format: CopyFormat): Encode {
  const { delimiter, quote, escape: escapedBy, nullText, forceQuote } = format;
  const isForced = schema.map(({ name }) => forceQuote === 'all' || forceQuote.has(name));
  const isAlone = schema.length === 1;
  return (text, column) => {
    const isQuoted =
      isForced[column] === true ||
      text === nullText ||
      (isAlone && text === '\\.') ||
      [delimiter, quote, '\n', '\r'].some((one) => text.includes(one));
    if (!isQuoted) return text;
    const inner = [...text].map((one) =>
      one === quote || one === escapedBy ? escapedBy + one : one,
    );
    return quote + inner.join('') + quote;
  };
}
