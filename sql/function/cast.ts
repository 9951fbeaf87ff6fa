/** Conversions between types: which exist in which context (pg_cast), and how they are done. */
import type { Datum } from '../base/datum.ts';
import { type MapEntry, mapOf } from '../base/map.ts';
import { fromText, textToLength } from '../base/text-input.ts';
import { trimBlanks } from '../base/text-order.ts';
import { textWriter } from '../base/text-output.ts';
import type { Zone } from '../base/timezone.ts';
import {
  isMapType,
  keyAndValue,
  type MapType,
  type SqlType,
  sameType,
  type TypeKind,
  typeName,
} from '../base/type.ts';
import { byteaCasts } from './cast-bytea.ts';
import { dateTimeCasts } from './cast-datetime.ts';
import { jsonCasts } from './cast-json.ts';
import { numberCasts } from './cast-number.ts';
import type { CastRule } from './cast-rule.ts';
import type { Cast, CastContext } from './registry.ts';
import type { ScalarFunction } from './scalar-function.ts';

const rank: { readonly [C in CastContext]: number } = { implicit: 0, assignment: 1, explicit: 2 };

function allowed(rule: CastContext, context: CastContext): boolean {
  return rank[rule] <= rank[context];
}

const stringKinds: ReadonlySet<TypeKind> = new Set(['text', 'varchar', 'char']);

const rules = new Map<string, CastRule>();
for (const rule of [...numberCasts, ...dateTimeCasts, ...jsonCasts, ...byteaCasts]) {
  rules.set(`${rule.from} ${rule.to}`, rule);
}

function castFunction(
  from: SqlType,
  to: SqlType,
  evaluate: (value: never) => Datum | null,
  rule?: CastRule,
): Cast {
  const inline = rule?.inline;
  const duckdb = rule?.duckdb;
  const fn: ScalarFunction = {
    name: 'cast',
    parameters: [from],
    result: to,
    evaluate,
    inline: inline && (([argument = '']) => inline(argument)),
    duckdb: duckdb && (([argument = '']) => duckdb(argument)),
    description: `${typeName(from)} to ${typeName(to)}`,
    family: 'cast',
  };
  return { fn };
}

const relabel: Cast = { fn: undefined };

/** The conversion, or undefined when PostgreSQL has none in that context. */
export function findCast(from: SqlType, to: SqlType, context: CastContext): Cast | undefined {
  if (sameType(from, to)) return relabel;
  if (from.kind === 'unknown') {
    return castFunction(from, to, (text: string) => explicitText(text, to, context));
  }
  if (to.kind === 'unknown') return undefined;
  if (from.kind === 'array' && to.kind === 'array') return arrayCast(from, to, context);
  if (stringKinds.has(from.kind) && stringKinds.has(to.kind)) return stringCast(from, to, context);
  const rule = rules.get(`${from.kind} ${to.kind}`);
  if (rule !== undefined) {
    if (!allowed(rule.context, context)) return undefined;
    return castFunction(from, to, rule.convert(to, context), rule);
  }
  if (from.kind === to.kind && to.kind !== 'enum' && to.kind !== 'range')
    return modifierCast(from, to, context);
  if (stringKinds.has(to.kind) && allowed('assignment', context)) {
    return toStringCast(from, to, context);
  }
  if (stringKinds.has(from.kind) && context === 'explicit') {
    return castFunction(from, to, (text: string) => fromText(text, to));
  }
  return undefined;
}

/** An explicit cast cuts text that is too long; input and assignment refuse it. */
function explicitText(text: string, to: SqlType, context: CastContext): Datum {
  if (to.kind === 'varchar' || to.kind === 'char') {
    return textToLength(text, to.length, to.kind, context === 'explicit');
  }
  return fromText(text, to);
}

function stringCast(from: SqlType, to: SqlType, context: CastContext): Cast {
  const length = to.kind === 'varchar' || to.kind === 'char' ? to.length : undefined;
  const kind = to.kind === 'char' ? 'char' : 'varchar';
  const cut = context === 'explicit';
  if (from.kind === 'char' && to.kind !== 'char') {
    return castFunction(from, to, (text: string) =>
      textToLength(trimBlanks(text), length, kind, cut),
    );
  }
  if (length === undefined) return relabel;
  return castFunction(from, to, (text: string) => textToLength(text, length, kind, cut));
}

/** Kinds whose DuckDB text is PostgreSQL's for every value. */
const duckdbTextKinds: ReadonlySet<TypeKind> = new Set([
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'uuid',
]);

function toStringCast(from: SqlType, to: SqlType, context: CastContext): Cast {
  const write =
    from.kind === 'boolean'
      ? (value: Datum): string => (value === true ? 'true' : 'false')
      : textWriter(from);
  const evaluate = (value: Datum): Datum => explicitText(write(value), to, context);
  const bounded = (to.kind === 'varchar' || to.kind === 'char') && to.length !== undefined;
  const cast = castFunction(from, to, evaluate);
  if (bounded || cast.fn === undefined || !duckdbTextKinds.has(from.kind)) return cast;
  return { fn: { ...cast.fn, duckdb: ([argument]) => `CAST(${argument} AS VARCHAR)` } };
}

/** Same kind, other modifiers: numeric(p,s), timestamp(p), row to row. */
function modifierCast(from: SqlType, to: SqlType, context: CastContext): Cast | undefined {
  if (to.kind !== 'row' || from.kind !== 'row') return relabel;
  if (from.fields.length !== to.fields.length) return undefined;
  const casts = to.fields.map((field, index) =>
    findCast((from.fields[index] as { type: SqlType }).type, field.type, context),
  );
  if (casts.includes(undefined)) return undefined;
  return castFunction(from, to, (row: readonly (Datum | null)[]) =>
    row.map((value, index) => applyCast(casts[index], value)),
  );
}

function arrayCast(
  from: SqlType & { readonly kind: 'array' },
  to: SqlType & { readonly kind: 'array' },
  context: CastContext,
): Cast | undefined {
  if (isMapType(to)) return mapCast(from, to, context);
  const cast = findCast(from.element, to.element, context);
  if (cast === undefined) return undefined;
  if (cast.fn === undefined) return relabel;
  const isRow = from.element.kind === 'row' || from.element.kind === 'array';
  // A further dimension is an array inside, which the type does not tell.
  const castItems = (items: readonly (Datum | null)[]): readonly (Datum | null)[] =>
    items.map((item) => (Array.isArray(item) && !isRow ? castItems(item) : applyCast(cast, item)));
  return castFunction(from, to, castItems);
}

/** Other keys may have another order, and be equal; an array of rows becomes a map only when it is asked for. */
function mapCast(
  from: SqlType & { readonly kind: 'array' },
  to: MapType,
  context: CastContext,
): Cast | undefined {
  if (!isMapType(from) && context !== 'explicit') return undefined;
  const cast = findCast(from.element, to.element, context);
  if (cast === undefined) return undefined;
  if (cast.fn === undefined && isMapType(from)) return relabel;
  const { key } = keyAndValue(to);
  return castFunction(from, to, (items: readonly (Datum | null)[]) =>
    mapOf(
      items.map((item): MapEntry => (applyCast(cast, item) ?? [null, null]) as unknown as MapEntry),
      key,
    ),
  );
}

function applyCast(cast: Cast | undefined, value: Datum | null): Datum | null {
  if (value === null || cast?.fn === undefined) return value;
  return (cast.fn.evaluate as (value: Datum) => Datum | null)(value);
}

/**
 * Reads a literal in the context of a type, with now, today and the like taken from `nowMicros`.
 * @throws StreamError as PostgreSQL's input functions.
 */
export function literalFromText(
  text: string,
  to: SqlType,
  context: CastContext,
  nowMicros: bigint,
  zone: Zone,
): Datum {
  if (to.kind === 'varchar' || to.kind === 'char') return explicitText(text, to, context);
  return fromText(text, to, nowMicros, zone);
}
