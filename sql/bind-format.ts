/** RisingWave's `FORMAT … ENCODE … (…)`: what the records of a relation or sink are, as the options that say so here. */
import type { ColumnDefinition, Option } from './ast-relation.ts';
import { StreamError } from './base/error.ts';

/** Names of encodings that have another one here; native is that of a generator, which has none. */
const ENCODINGS: Readonly<Record<string, string | undefined>> = {
  bytes: 'raw',
  csv: 'delimited',
  native: undefined,
  none: undefined,
};
const FORMATS: ReadonlySet<string> = new Set(['plain', 'upsert', 'native', 'none']);

/**
 * The options without the clause, which stands in them as `format` and `encode`.
 * @param columns  of a table: whether one of them is in the records' key; undefined for others.
 * @throws StreamError SQL_NOT_SUPPORTED for formats of changes that are not read, SQL_INVALID_OPTION.
 */
export function readFormat(
  options: readonly Option[],
  columns: readonly ColumnDefinition[] | undefined,
): readonly Option[] {
  const encode = options.find(({ key }) => key === 'encode');
  const format = options.find(({ key }) => key === 'format');
  if (encode === undefined || format === undefined) return options;
  const kind = textOf(format);
  if (!FORMATS.has(kind)) {
    throw new StreamError('SQL_NOT_SUPPORTED', `FORMAT ${kind.toUpperCase()} is not supported`, {
      at: format.span,
      hint: 'There are FORMAT PLAIN and FORMAT UPSERT.',
    });
  }
  const name = textOf(encode);
  const rest = options.filter(({ key }) => key !== 'encode' && key !== 'format');
  const others = name === 'csv' ? rest.flatMap(csvOption) : rest;
  const known = Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : name;
  const read = known === undefined ? [] : [option(encode, 'value_format', known)];
  // Of a plain record the key is not looked at: the columns of the primary key are in its value.
  const isKeyed = columns === undefined || columns.some(isInKey) || kind !== 'plain';
  const named = isKeyed || rest.some(({ key }) => /^key[._]format$/.test(key));
  return [...others, ...read, ...(named ? [] : [option(format, 'key_format', 'none')])];
}

const isInKey = ({ key, metadata }: ColumnDefinition): boolean =>
  key === true || metadata === 'key';

function csvOption(given: Option): readonly Option[] {
  if (given.key === 'delimiter') return [{ ...given, key: 'value_delimiter' }];
  if (given.key !== 'without_header') return [given];
  if (textOf(given) === 'true') return [];
  throw new StreamError('SQL_NOT_SUPPORTED', 'records of CSV have no header', {
    at: given.span,
    hint: "Write without_header = 'true'.",
  });
}

const option = ({ span }: Option, key: string, value: string): Option => ({
  key,
  value: { kind: 'string', value, span },
  span,
});

function textOf({ value }: Option): string {
  if (value.kind === 'string') return value.value.toLowerCase();
  return value.kind === 'boolean' ? String(value.value) : '';
}
