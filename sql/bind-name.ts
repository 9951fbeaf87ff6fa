/** Column references: which column of which query a name means, with PostgreSQL's errors and hints. */
import type { Identifier, QualifiedName } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Column } from './base/type.ts';
import { closestName, editDistance } from './bind-near-miss.ts';
import type { Scope, ScopeColumn, ScopeTable } from './bind-scope.ts';
import { relationKey } from './catalog.ts';
import type { BoundExpr } from './expression.ts';
import { moveInward } from './logical-map.ts';

/**
 * Binds `a`, `t.a`, `t.a.field`, or a whole row `t`.
 * @throws StreamError SQL_UNKNOWN_COLUMN, SQL_AMBIGUOUS_COLUMN, SQL_UNKNOWN_RELATION.
 */
export function bindColumn(name: QualifiedName, scope: Scope): BoundExpr {
  const [first, second, third, fourth] = name.parts;
  if (first === undefined) throw unknownColumn(name, scope);
  if (second === undefined) {
    const found = findBare(first, scope) ?? findWholeRow(first, scope);
    if (found === undefined) throw unknownColumn(name, scope);
    return { ...found, span: name.span };
  }
  const table = findTable(first.name, scope, name.span);
  if (table === undefined) return bindForeign(name, scope);
  const column = columnIn(table.table, second);
  if (column === undefined) throw unknownColumn(name, scope);
  let bound: BoundExpr = { ...moveInward(column.expression, table.depth), span: name.span };
  // `a.b.c` whose b holds no fields can only have been schema.table.column.
  if (third !== undefined && bound.type.kind !== 'row') throw missingTable(second, scope);
  for (const field of [third, fourth]) {
    if (field !== undefined) bound = bindField(bound, field);
  }
  return bound;
}

/** `schema.table.column`, a field of a composite column, or nothing that is known. */
function bindForeign(name: QualifiedName, scope: Scope): BoundExpr {
  const [first, second, third] = name.parts;
  if (first !== undefined && second !== undefined) {
    if (third !== undefined && findTable(second.name, scope, first.span, first.name)) {
      return bindColumn({ ...name, parts: name.parts.slice(1) }, scope);
    }
    const composite = findBare(first, scope);
    if (composite?.type.kind === 'row') {
      const fields = name.parts.slice(1);
      return fields.reduce(bindField, { ...composite, span: name.span } as BoundExpr);
    }
    throw missingTable(first, scope);
  }
  throw unknownColumn(name, scope);
}

/** A field of a composite value. @throws StreamError SQL_UNKNOWN_COLUMN, SQL_WRONG_OBJECT_TYPE. */
export function bindField(operand: BoundExpr, field: Identifier): BoundExpr {
  const type = operand.type;
  if (type.kind !== 'row') {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `column notation .${field.name} applied to type ${type.kind === 'unknown' ? 'unknown' : type.kind}, which is not a composite type`,
      { at: field.span },
    );
  }
  const index = type.fields.findIndex((candidate) => candidate.name === field.name);
  const found = type.fields[index];
  if (found === undefined) {
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${field.name}" not found in data type record`,
      {
        at: field.span,
        hint: fieldHint(
          type.fields.map(({ name }) => name),
          field.name,
        ),
      },
    );
  }
  // `(t).a` on a whole row is the column itself.
  const item = rowItems(operand)?.[index];
  if (item !== undefined) return item;
  return { kind: 'field', operand, index, type: found.type, span: operand.span };
}

function fieldHint(names: readonly string[], name: string): string | undefined {
  const near = closestName(name, names);
  return near === undefined ? undefined : `Perhaps you meant the field "${near}".`;
}

interface FoundTable {
  readonly table: ScopeTable;
  readonly depth: number;
}

/** Visits the scopes from the inside out, with the number of queries between. */
function* enclosing(scope: Scope): Generator<{ scope: Scope; depth: number }> {
  let depth = 0;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    yield { scope: at, depth };
    depth++;
  }
}

/** Columns of that name; those that `*` lists go before the others. */
function meant(columns: readonly ScopeColumn[], name: Identifier): readonly ScopeColumn[] {
  const matches = columns.filter((column) => column.name === name.name);
  const listed = matches.filter((column) => column.hidden !== true);
  return listed.length > 0 ? listed : matches;
}

function findBare(name: Identifier, scope: Scope): BoundExpr | undefined {
  for (const { scope: at, depth } of enclosing(scope)) {
    if (!at.visible) continue;
    const candidates = meant(at.columns, name);
    if (candidates.length > 1) {
      throw new StreamError(
        'SQL_AMBIGUOUS_COLUMN',
        `column reference "${name.name}" is ambiguous`,
        { at: name.span, hint: ambiguityHint(name.name, at) },
      );
    }
    const found = candidates[0];
    if (found !== undefined) return moveInward(found.expression, depth);
  }
  return undefined;
}

function ambiguityHint(name: string, scope: Scope): string | undefined {
  const owners = scope.tables
    .filter((table) => table.columns.some((column) => column.name === name))
    .map((table) => `"${table.name}.${name}"`);
  return owners.length > 1 ? `Say which one: ${owners.join(' or ')}.` : undefined;
}

function columnIn(table: ScopeTable, name: Identifier): ScopeColumn | undefined {
  const matches = meant(table.columns, name);
  if (matches.length > 1) {
    throw new StreamError('SQL_AMBIGUOUS_COLUMN', `column reference "${name.name}" is ambiguous`, {
      at: name.span,
    });
  }
  return matches[0];
}

/** @param schema  as written before the name: then only the relation itself is meant, not an alias. */
function findTable(name: string, scope: Scope, at: Span, schema?: string): FoundTable | undefined {
  const key = schema === undefined ? undefined : relationKey(schema, name);
  for (const { scope: level, depth } of enclosing(scope)) {
    if (!level.visible) continue;
    const matches = level.tables.filter(
      (table) => table.name === name && (key === undefined || table.relation === key),
    );
    if (matches.length > 1) {
      throw new StreamError('SQL_DUPLICATE_ALIAS', `table reference "${name}" is ambiguous`, {
        at,
      });
    }
    const table = matches[0];
    if (table !== undefined) return { table, depth };
  }
  return undefined;
}

/** The row of a FROM item under its name alone. */
export function findWholeRow(name: Identifier, scope: Scope): BoundExpr | undefined {
  const found = findTable(name.name, scope, name.span);
  if (found === undefined) return undefined;
  const columns = found.table.columns.filter((column) => column.hidden !== true);
  const items = columns.map((column) => moveInward(column.expression, found.depth));
  const fields = columns.map(
    (column): Column => ({ name: column.name, type: column.expression.type, nullable: true }),
  );
  const [only] = items;
  if (only !== undefined && found.table.single === true) return only;
  const row: BoundExpr = { kind: 'row', items, type: { kind: 'row', fields } };
  const { absent } = found.table;
  if (absent === undefined) return row;
  const then: BoundExpr = { kind: 'literal', value: null, type: row.type };
  const when = moveInward(absent, found.depth);
  return { kind: 'case', whens: [{ when, then }], otherwise: row, type: row.type };
}

/** The columns of a whole row; those of one that an outer join lacks are NULL by themselves. */
function rowItems(operand: BoundExpr): readonly BoundExpr[] | undefined {
  if (operand.kind === 'case' && operand.otherwise?.kind === 'row') {
    const absentOnly = operand.whens.every(
      ({ then }) => then.kind === 'literal' && then.value === null,
    );
    return absentOnly && operand.whens.length === 1 ? operand.otherwise.items : undefined;
  }
  return operand.kind === 'row' ? operand.items : undefined;
}

/**
 * The columns that `*` or `t.*` stands for.
 * @throws StreamError SQL_UNKNOWN_RELATION; SQL_SYNTAX for `*` without FROM.
 */
export function expandStar(
  qualifier: QualifiedName | undefined,
  scope: Scope,
  span: Span,
): readonly ScopeColumn[] {
  if (qualifier === undefined) {
    if (scope.tables.length === 0 && scope.columns.length === 0) {
      throw new StreamError('SQL_SYNTAX', 'SELECT * with no tables specified is not valid', {
        at: span,
      });
    }
    return scope.columns.filter((column) => column.hidden !== true);
  }
  const name = qualifier.parts.at(-1);
  const schema = qualifier.parts.at(-2)?.name;
  const found = name && findTable(name.name, scope, span, schema);
  if (name === undefined || found === undefined) {
    const composite = name && qualifier.parts.length === 1 ? findBare(name, scope) : undefined;
    if (composite !== undefined) return expandRow(composite);
    throw missingTable(name ?? { name: '', quoted: false, span }, scope);
  }
  return found.table.columns
    .filter((column) => column.hidden !== true)
    .map((column) => ({ ...column, expression: moveInward(column.expression, found.depth) }));
}

/** `(composite).*`. @throws StreamError SQL_WRONG_OBJECT_TYPE. */
export function expandRow(operand: BoundExpr): readonly ScopeColumn[] {
  const type = operand.type;
  if (type.kind !== 'row') {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `type ${type.kind} is not composite`, {
      at: operand.span,
    });
  }
  return type.fields.map((field, index) => ({
    name: field.name,
    expression: rowItems(operand)?.[index] ?? {
      kind: 'field',
      operand,
      index,
      type: field.type,
      span: operand.span,
    },
  }));
}

function missingTable(name: Identifier, scope: Scope): StreamError {
  for (const { scope: at } of enclosing(scope)) {
    const hidden = at.visible ? undefined : at.tables.find((table) => table.name === name.name);
    if (hidden !== undefined) {
      return new StreamError(
        'SQL_UNKNOWN_RELATION',
        `invalid reference to FROM-clause entry for table "${name.name}"`,
        {
          at: name.span,
          detail: `There is an entry for table "${name.name}", but it cannot be referenced from this part of the query.`,
          hint: 'To reference that table, you must mark this subquery with LATERAL.',
        },
      );
    }
    const aliased = at.tables.find((table) => table.relation === name.name);
    if (aliased !== undefined) {
      return new StreamError(
        'SQL_UNKNOWN_RELATION',
        `invalid reference to FROM-clause entry for table "${name.name}"`,
        {
          at: name.span,
          hint: `Perhaps you meant to reference the table alias "${aliased.name}".`,
        },
      );
    }
  }
  return new StreamError(
    'SQL_UNKNOWN_RELATION',
    `missing FROM-clause entry for table "${name.name}"`,
    { at: name.span },
  );
}

function unknownColumn(name: QualifiedName, scope: Scope): StreamError {
  const last = name.parts.at(-1);
  const qualified = name.parts.length > 1;
  const written = name.parts.map((part) => part.name).join('.');
  const message = qualified
    ? `column ${written} does not exist`
    : `column "${written}" does not exist`;
  const table = qualified ? name.parts[name.parts.length - 2]?.name : undefined;
  const hint = last === undefined ? undefined : nearMissHint(last.name, table, scope);
  return new StreamError('SQL_UNKNOWN_COLUMN', message, { at: name.span, hint });
}

/** PostgreSQL's rule: the nearest columns of the query, at most two, by edit distance. */
function nearMissHint(name: string, table: string | undefined, scope: Scope): string | undefined {
  let limit = Math.min(3, Math.floor(name.length / 2)) + 1;
  let nearest: string[] = [];
  for (const { scope: at } of enclosing(scope)) {
    for (const candidate of at.visible ? at.tables : []) {
      const detour = table === undefined ? 0 : editDistance(table, candidate.name);
      if (detour > 3) continue;
      for (const column of candidate.columns) {
        const distance = detour + editDistance(name, column.name);
        if (distance > limit || (distance === limit && nearest.length === 0)) continue;
        if (distance < limit) nearest = [];
        limit = distance;
        const full = `"${candidate.name}.${column.name}"`;
        if (!nearest.includes(full)) nearest.push(full);
      }
    }
  }
  if (nearest.length === 0 || nearest.length > 2) return undefined;
  return `Perhaps you meant to reference the column ${nearest.join(' or the column ')}.`;
}
