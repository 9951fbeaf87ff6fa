/** COPY's options: how rows are written as text. PostgreSQL's names, defaults, checks and messages. */

import type { Expression } from './ast.ts';
import type { Option } from './ast-relation.ts';
import type { Statement } from './ast-statement.ts';
import type { ErrorCode } from './base/error.ts';
import { StreamError } from './base/error.ts';

export interface CopyFormat {
  readonly format: 'text' | 'csv';
  /** One byte. */
  readonly delimiter: string;
  /** What stands for NULL. */
  readonly nullText: string;
  /** What stands for a column's default, in COPY FROM. */
  readonly defaultText: string | undefined;
  readonly header: 'none' | 'skip' | 'match';
  /** CSV only; one byte. */
  readonly quote: string;
  readonly escape: string;
  /** Column names, or all. */
  readonly forceQuote: ReadonlySet<string> | 'all';
  readonly forceNotNull: ReadonlySet<string> | 'all';
  readonly forceNull: ReadonlySet<string> | 'all';
  readonly ignoresErrors: boolean;
  /** Rows that may be left out; undefined = any number. */
  readonly rejectLimit: number | undefined;
}

type Direction = (Statement & { readonly kind: 'copy' })['direction'];

/** @throws StreamError as PostgreSQL. */
export function readCopyFormat(options: readonly Option[], direction: Direction): CopyFormat {
  const given = new Map<string, Option>();
  for (const option of options) {
    if (!known.has(option.key)) {
      throw failure('SQL_SYNTAX', `option "${option.key}" not recognized`, option);
    }
    if (given.has(option.key)) {
      throw failure('SQL_SYNTAX', 'conflicting or redundant options', option);
    }
    given.set(option.key, option);
  }
  const text = (key: string): string | undefined => textOption(given.get(key));
  const format = readFormat(given.get('format'));
  const read: CopyFormat = {
    format,
    delimiter: text('delimiter') ?? (format === 'csv' ? ',' : '\t'),
    nullText: text('null') ?? (format === 'csv' ? '' : '\\N'),
    defaultText: text('default'),
    header: readHeader(given.get('header'), direction),
    quote: text('quote') ?? '"',
    escape: text('escape') ?? text('quote') ?? '"',
    forceQuote: names(given.get('force_quote')),
    forceNotNull: names(given.get('force_not_null')),
    forceNull: names(given.get('force_null')),
    ignoresErrors: readOnError(given.get('on_error')),
    rejectLimit: readRejectLimit(given.get('reject_limit')),
  };
  checkText(read, given);
  checkCsv(read, given);
  checkDirection(read, given, direction);
  readFlag(given.get('freeze'));
  checkEncoding(given.get('encoding'));
  checkVerbosity(given.get('log_verbosity'));
  return read;
}

const known: ReadonlySet<string> = new Set([
  ...['format', 'freeze', 'delimiter', 'null', 'default', 'header', 'quote', 'escape'],
  ...['force_quote', 'force_not_null', 'force_null', 'on_error', 'reject_limit', 'encoding'],
  'log_verbosity',
]);

type Given = ReadonlyMap<string, Option>;

const failure = (code: ErrorCode, message: string, at: Option | undefined): StreamError =>
  new StreamError(code, message, { at: at?.span });

// --------------------------------------------------------------------- values

function textOf(value: Expression): string | undefined {
  switch (value.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    case 'column':
      return value.name.parts.map((part) => part.name).join('.');
    default:
      return undefined;
  }
}

function textOption(option: Option | undefined): string | undefined {
  if (option === undefined) return undefined;
  const text = option.value.kind === 'boolean' ? undefined : textOf(option.value);
  if (text === undefined) throw failure('SQL_SYNTAX', `${option.key} requires a parameter`, option);
  return text;
}

function readFlag(option: Option | undefined): boolean | undefined {
  if (option === undefined) return undefined;
  const text = textOf(option.value)?.toLowerCase() ?? '';
  if (['true', 'on', '1'].includes(text)) return true;
  if (['false', 'off', '0'].includes(text)) return false;
  throw failure('SQL_SYNTAX', `${option.key} requires a Boolean value`, option);
}

function readFormat(option: Option | undefined): CopyFormat['format'] {
  const text = textOption(option) ?? 'text';
  if (text === 'text' || text === 'csv') return text;
  if (text === 'binary') throw failure('SQL_NOT_SUPPORTED', 'COPY BINARY is not supported', option);
  throw failure('SQL_INVALID_OPTION', `COPY format "${text}" not recognized`, option);
}

function readHeader(option: Option | undefined, direction: Direction): CopyFormat['header'] {
  if (option === undefined) return 'none';
  const text = textOf(option.value)?.toLowerCase();
  if (text === 'match') {
    if (direction === 'from') return 'match';
    throw failure('SQL_NOT_SUPPORTED', 'cannot use "match" with HEADER in COPY TO', option);
  }
  if (['true', 'on', '1'].includes(text ?? '')) return 'skip';
  if (['false', 'off', '0'].includes(text ?? '')) return 'none';
  throw failure('SQL_SYNTAX', 'header requires a Boolean value or "match"', option);
}

function names(option: Option | undefined): ReadonlySet<string> | 'all' {
  if (option === undefined) return new Set();
  const { value } = option;
  if (value.kind === 'star') return 'all';
  const items = value.kind === 'row' ? value.items.map(textOf) : [];
  if (items.length > 0 && items.every((item) => item !== undefined)) return new Set(items);
  const message = `argument to option "${option.key}" must be a list of column names`;
  throw failure('SQL_INVALID_OPTION', message, option);
}

function readOnError(option: Option | undefined): boolean {
  const text = textOption(option) ?? 'stop';
  if (text === 'stop' || text === 'ignore') return text === 'ignore';
  throw failure('SQL_INVALID_OPTION', `COPY ON_ERROR "${text}" not recognized`, option);
}

function readRejectLimit(option: Option | undefined): number | undefined {
  const text = textOption(option);
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) {
    throw failure('SQL_SYNTAX', 'reject_limit requires a numeric value', option);
  }
  if (Number(text) > 0) return Number(text);
  const message = `REJECT_LIMIT (${text}) must be greater than zero`;
  throw failure('SQL_INVALID_OPTION', message, option);
}

function checkEncoding(option: Option | undefined): void {
  const text = textOption(option);
  if (text === undefined || /^utf-?8$|^unicode$/i.test(text)) return;
  const message = 'argument to option "encoding" must be a valid encoding name';
  throw new StreamError('SQL_INVALID_OPTION', message, {
    at: option?.span,
    hint: 'Only UTF8 is understood.',
  });
}

function checkVerbosity(option: Option | undefined): void {
  const text = textOption(option) ?? 'default';
  if (['silent', 'default', 'verbose'].includes(text)) return;
  throw failure('SQL_INVALID_OPTION', `COPY LOG_VERBOSITY "${text}" not recognized`, option);
}

// --------------------------------------------------------------------- checks

const isOneByte = (text: string): boolean => text.length === 1 && text <= '\x7f';

function checkText(read: CopyFormat, given: Given): void {
  const { format, delimiter, nullText, defaultText } = read;
  const at = given.get('delimiter');
  if (!isOneByte(delimiter)) {
    const message = 'COPY delimiter must be a single one-byte character';
    throw failure('SQL_NOT_SUPPORTED', message, at);
  }
  if (/[\r\n]/.test(delimiter)) {
    const message = 'COPY delimiter cannot be newline or carriage return';
    throw failure('SQL_INVALID_OPTION', message, at);
  }
  for (const [what, text, key] of [
    ['null', nullText, 'null'],
    ['default', defaultText ?? '', 'default'],
  ] as const) {
    if (!/[\r\n]/.test(text)) continue;
    const message = `COPY ${what} representation cannot use newline or carriage return`;
    throw failure('SQL_INVALID_OPTION', message, given.get(key));
  }
  if (format === 'text' && /[\\.a-z0-9]/.test(delimiter)) {
    throw failure('SQL_INVALID_OPTION', `COPY delimiter cannot be "${delimiter}"`, at);
  }
  const key = markWith(delimiter, read);
  if (key === undefined) return;
  const message = `COPY delimiter character must not appear in the ${key.toUpperCase()} specification`;
  throw failure('SQL_INVALID_OPTION', message, given.get(key) ?? at);
}

/** Which of the texts that stand for NULL and DEFAULT holds the character. */
function markWith(character: string, read: CopyFormat): 'null' | 'default' | undefined {
  if (read.nullText.includes(character)) return 'null';
  return read.defaultText?.includes(character) === true ? 'default' : undefined;
}

function checkCsv(read: CopyFormat, given: Given): void {
  const { format, quote, escape: escapedBy, delimiter } = read;
  if (format !== 'csv') {
    for (const key of ['quote', 'escape', 'force_quote', 'force_not_null', 'force_null']) {
      if (!given.has(key)) continue;
      const message = `COPY ${key.toUpperCase()} requires CSV mode`;
      throw failure('SQL_NOT_SUPPORTED', message, given.get(key));
    }
    return;
  }
  if (!isOneByte(quote)) {
    const message = 'COPY quote must be a single one-byte character';
    throw failure('SQL_NOT_SUPPORTED', message, given.get('quote'));
  }
  if (delimiter === quote) {
    const message = 'COPY delimiter and quote must be different';
    throw failure('SQL_INVALID_OPTION', message, given.get('delimiter') ?? given.get('quote'));
  }
  if (!isOneByte(escapedBy)) {
    const message = 'COPY escape must be a single one-byte character';
    throw failure('SQL_NOT_SUPPORTED', message, given.get('escape'));
  }
  const key = markWith(quote, read);
  if (key === undefined) return;
  const message = `CSV quote character must not appear in the ${key.toUpperCase()} specification`;
  throw failure('SQL_INVALID_OPTION', message, given.get(key));
}

/** Options of one direction alone, with the code that PostgreSQL has for each. */
const onlyFrom: readonly (readonly [key: string, code: ErrorCode])[] = [
  ['force_not_null', 'SQL_INVALID_OPTION'],
  ['force_null', 'SQL_INVALID_OPTION'],
  ['freeze', 'SQL_INVALID_OPTION'],
  ['default', 'SQL_NOT_SUPPORTED'],
  ['on_error', 'SQL_INVALID_OPTION'],
];

function checkDirection(read: CopyFormat, given: Given, direction: Direction): void {
  if (direction === 'from' && given.has('force_quote')) {
    const message = 'COPY FORCE_QUOTE cannot be used with COPY FROM';
    throw failure('SQL_NOT_SUPPORTED', message, given.get('force_quote'));
  }
  for (const [key, code] of onlyFrom) {
    if (direction === 'from' || !given.has(key)) continue;
    const message = `COPY ${key.toUpperCase()} cannot be used with COPY TO`;
    throw failure(code, message, given.get(key));
  }
  if (read.defaultText === read.nullText) {
    const message = 'NULL specification and DEFAULT specification cannot be the same';
    throw failure('SQL_NOT_SUPPORTED', message, given.get('default'));
  }
  if (read.rejectLimit !== undefined && !read.ignoresErrors) {
    const message = 'COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE';
    throw failure('SQL_INVALID_OPTION', message, given.get('reject_limit'));
  }
}
