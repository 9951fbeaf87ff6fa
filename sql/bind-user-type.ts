/** CREATE DOMAIN and composite types: what their names stand for. */
import type { Statement } from './ast-statement.ts';
import type { Datum } from './base/datum.ts';
import { StreamError } from './base/error.ts';
import { Domain, type Schema, type SqlType, withoutDomain } from './base/type.ts';
import { freeName } from './bind-constraint.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindOver } from './bind-over.ts';
import { splitKey } from './bind-schema.ts';
import { bindField, bindTypeName } from './bind-type.ts';
import type { Check, UserType } from './catalog.ts';
import { coerceAssignment, coerceToBoolean } from './coerce.ts';
import { evaluate } from './evaluate.ts';
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };
type Definition = Kind<'create-type'>['definition'];

/** What is known of a type before it is in the catalog. */
export interface TypeOrigin {
  readonly id: number;
  /** The catalog's name. */
  readonly name: string;
  readonly sql: string;
}

/** @throws StreamError SQL_NOT_SUPPORTED, SQL_DATATYPE_MISMATCH, SQL_INVALID_DEFINITION. */
export function bindDomain(
  statement: Kind<'create-domain'>,
  origin: TypeOrigin,
  context: BindContext,
): UserType {
  const over = bindTypeName(statement.type, context);
  const base = withoutDomain(over);
  const checks = bindChecks(statement, base, origin, context);
  const { notNull } = statement;
  const { id } = origin;
  const { name } = splitKey(context.catalog, origin.name);
  const check = (value: Datum | null): void => {
    over.domain?.check(value);
    if (value === null && notNull) {
      throw new StreamError('CONSTRAINT_NOT_NULL', `domain ${name} does not allow null values`);
    }
    for (const one of checks) {
      if (evaluate(one.expression, [value]) !== false) continue;
      throw new StreamError(
        'CONSTRAINT_CHECK',
        `value for domain ${name} violates check constraint "${one.name}"`,
      );
    }
  };
  const type: SqlType = { ...base, domain: new Domain(id, origin.name, check) };
  const inherited = context.catalog.types().find((one) => one.id === over.domain?.id)?.domain;
  const written = statement.default && bindOver(statement.default, [], places.default, context);
  const value = written && coerceAssignment(written, { name, type: base }, context);
  return {
    ...origin,
    type,
    domain: {
      notNull: notNull || inherited?.notNull === true,
      checks: [...(inherited?.checks ?? []), ...checks],
      default: value ?? inherited?.default,
    },
  };
}

/** Over a row of one column, `value`. */
function bindChecks(
  statement: Kind<'create-domain'>,
  base: SqlType,
  origin: TypeOrigin,
  context: BindContext,
): readonly Check[] {
  const schema: Schema = [{ name: 'value', type: base, nullable: true }];
  const names = checkNames(statement, splitKey(context.catalog, origin.name).name);
  const checks = statement.checks.map(({ expression }, index): Check => {
    const bound = coerceToBoolean(
      bindOver(expression, schema, places.check, context),
      'CHECK',
      context,
    );
    refuseVolatile(bound);
    return { name: names[index] ?? '', expression: bound };
  });
  return checks.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of each check of a domain, its name; PostgreSQL's choice for those without. */
export function checkNames(
  { checks }: Pick<Kind<'create-domain'>, 'checks'>,
  domain: string,
): readonly string[] {
  const taken = new Set(checks.flatMap(({ name }) => name?.name ?? []));
  return checks.map(({ name }) => {
    const chosen = name?.name ?? freeName(`${domain}_check`, (one) => taken.has(one));
    taken.add(chosen);
    return chosen;
  });
}

/** Rows are checked when they come, and would not be again. */
function refuseVolatile(expression: BoundExpr): void {
  const isVolatile = someExpression(
    expression,
    (part) => part.kind === 'call' && (part.fn.volatility ?? 'immutable') !== 'immutable',
  );
  if (!isVolatile) return;
  throw new StreamError('SQL_NOT_SUPPORTED', 'the check of a domain must be immutable', {
    at: expression.span,
    hint: 'Check what depends on the clock or on chance where the value comes from.',
  });
}

/** @throws StreamError SQL_DUPLICATE_COLUMN, SQL_UNKNOWN_TYPE, SQL_NOT_SUPPORTED. */
export function bindComposite(
  definition: Exclude<Definition, { readonly kind: 'enum' }>,
  origin: TypeOrigin,
  context: BindContext,
): UserType {
  const { name } = splitKey(context.catalog, origin.name);
  if (definition.kind === 'alias') {
    const type = bindTypeName(definition.type, context);
    if (type.kind === 'row') return { ...origin, type: { ...type, name: origin.name } };
    throw new StreamError('SQL_NOT_SUPPORTED', `type ${name} is not a composite one`, {
      at: definition.type.span,
      hint: 'CREATE DOMAIN gives another name to a type.',
    });
  }
  const seen = new Set<string>();
  const fields = definition.fields.map((field) => {
    if (seen.has(field.name.name)) {
      throw new StreamError(
        'SQL_DUPLICATE_COLUMN',
        `attribute "${field.name.name}" specified more than once`,
        { at: field.name.span },
      );
    }
    seen.add(field.name.name);
    return bindField(field.name.name, field.type, context);
  });
  return { ...origin, type: { kind: 'row', fields, name: origin.name } };
}
