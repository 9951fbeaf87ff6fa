import type { Datum, Row } from '../../sql/base/datum.ts';
import { jsonWriter, textWriter, zonedTextWriter } from '../../sql/base/text-output.ts';
import { zoneByName } from '../../sql/base/timezone.ts';
import { type Schema, type SqlType, typeName } from '../../sql/base/type.ts';

/** `text` gives every value as the string that PostgreSQL prints for it. */
export type ValueFormat = 'json' | 'text';

/** Renders one row as JSON text: an array in schema order, or an object by column name. */
export type RowWriter = (row: Row) => string;

type ValueWriter = (datum: Datum | null) => string;

/** `[{"name":…,"type":…},…]`, the `columns` member of every answer that has one. */
export function columnsJson(schema: Schema): string {
  return JSON.stringify(schema.map(({ name, type }) => ({ name, type: typeName(type) })));
}

/** @param zone  of text; instants in JSON are in UTC. */
export function arrayWriter(schema: Schema, format: ValueFormat, zone = 'UTC'): RowWriter {
  const writers = schema.map((column) => valueWriter(column.type, format, zone));
  return (row) => {
    let text = '[';
    for (let index = 0; index < writers.length; index++) {
      if (index > 0) text += ',';
      text += (writers[index] as ValueWriter)(row[index] ?? null);
    }
    return `${text}]`;
  };
}

const objectWriters = new WeakMap<Schema, RowWriter>();

/** Doubled column names get `_2`, `_3`, … since a JSON object cannot hold both. The same schema has the same writer. */
export function objectWriter(schema: Schema): RowWriter {
  const known = objectWriters.get(schema);
  if (known !== undefined) return known;
  const writer = newObjectWriter(schema);
  objectWriters.set(schema, writer);
  return writer;
}

function newObjectWriter(schema: Schema): RowWriter {
  const names = uniqueNames(schema.map((column) => column.name));
  const prefixes = names.map((name, index) => `${index > 0 ? ',' : ''}${JSON.stringify(name)}:`);
  const writers = schema.map((column) => valueWriter(column.type, 'json', 'UTC'));
  return (row) => {
    let text = '{';
    for (let index = 0; index < writers.length; index++) {
      text += prefixes[index];
      text += (writers[index] as ValueWriter)(row[index] ?? null);
    }
    return `${text}}`;
  };
}

export function uniqueNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let copy = 2; seen.has(unique); copy++) unique = `${name}_${copy}`;
    seen.add(unique);
    return unique;
  });
}

function valueWriter(type: SqlType, format: ValueFormat, zone: string): ValueWriter {
  if (format === 'text') {
    const write = zone === 'UTC' ? textWriter(type) : zonedTextWriter(type, zoneByName(zone));
    return (datum) => (datum === null ? 'null' : JSON.stringify(write(datum)));
  }
  const write = jsonWriter(type);
  // A json value keeps the line breaks it was written with; one row must stay one line.
  if (holdsJson(type)) {
    return (datum) => (datum === null ? 'null' : write(datum).replaceAll(/[\r\n]+/g, ' '));
  }
  return (datum) => (datum === null ? 'null' : write(datum));
}

function holdsJson(type: SqlType): boolean {
  if (type.kind === 'array') return holdsJson(type.element);
  if (type.kind === 'row') return type.fields.some((field) => holdsJson(field.type));
  return type.kind === 'json';
}

/** One CSV record without its line end, by RFC 4180; NULL is an empty field, an empty string `""`. */
export function csvWriter(schema: Schema): RowWriter {
  const writers = schema.map((column) => textWriter(column.type));
  return (row) =>
    writers
      .map((write, index) => {
        const datum = row[index] ?? null;
        return datum === null ? '' : csvField(write(datum));
      })
      .join(',');
}

export function csvField(text: string): string {
  return text === '' || /[",\r\n]/.test(text) || /^\s|\s$/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
