import { StreamError } from '../../sql/base/error.ts';

/**
 * Fields of one CSV record (RFC 4180): commas or another delimiter, fields optionally in double quotes, in which a
 * quote is doubled and delimiters and line ends are text. An empty field without quotes is undefined (NULL), a quoted one is ''.
 * @throws StreamError RECORD_MALFORMED for a quote in the middle of a field, or one that never closes.
 */
export function readCsv(record: string, delimiter: string): (string | undefined)[] {
  const fields: (string | undefined)[] = [];
  // A record may carry the line end it had in a file.
  const text = record.replace(/\r?\n$/, '');
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      const { value, end } = quotedField(text, at);
      fields.push(value);
      at = end;
      if (at < text.length && !text.startsWith(delimiter, at)) {
        throw new StreamError('RECORD_MALFORMED', `text after a closing quote at character ${at}`);
      }
    } else {
      const next = text.indexOf(delimiter, at);
      const value = next < 0 ? text.slice(at) : text.slice(at, next);
      if (value.includes('"')) {
        throw new StreamError('RECORD_MALFORMED', `quote inside a field at character ${at}`);
      }
      fields.push(value === '' ? undefined : value);
      at += value.length;
    }
    if (at >= text.length) return fields;
    at += delimiter.length;
  }
}

function quotedField(
  text: string,
  start: number,
): { readonly value: string; readonly end: number } {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) {
      throw new StreamError('RECORD_MALFORMED', `quote at character ${start} is never closed`);
    }
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}
