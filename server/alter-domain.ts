/**
 * ALTER DOMAIN: the statement that made the domain is changed and bound again, and whoever holds the domain checks by the new rules. Rows
 * of tables are looked at first; a view or a stream that has been computed by the old rules is named instead.
 */
import { compileScalar } from '../engine/kernel/scalar.ts';
import type { Identifier } from '../sql/ast.ts';
import type { AlterDomainAction } from '../sql/ast-alter.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert, assertNever } from '../sql/base/assert.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Domain } from '../sql/base/type.ts';
import { keyBeside, splitKey } from '../sql/bind-schema.ts';
import { checkNames } from '../sql/bind-user-type.ts';
import { bindContext } from '../sql/binder.ts';
import type { SourceRelation, StatementContext, UserType } from '../sql/catalog.ts';
import { withSpan } from '../sql/coerce.ts';
import { deparse } from '../sql/deparse.ts';
import { parseStatement } from '../sql/parser.ts';
import { alterRelation } from './alter.ts';
import { dependentError } from './alter-type.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { storedTable } from './definitions.ts';
import { inTurns } from './in-turns.ts';
import { okResult } from './row-result.ts';
import { statementContext } from './statement-context.ts';
import { boundTables } from './table-change.ts';
import { findType } from './type-statement.ts';
import {
  namesElsewhere,
  refuseRoutines,
  relationsWith,
  type TypeUser,
  typesWith,
} from './type-usage.ts';
import { bindType, type KeptType, saveTypes } from './user-types.ts';

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };
type CreateDomain = Kind<'create-domain'>;
type DomainType = UserType & { readonly domain: NonNullable<UserType['domain']> };

const TAG = 'ALTER DOMAIN';

/** @throws StreamError SQL_UNKNOWN_TYPE, SQL_UNKNOWN_OBJECT, SQL_DUPLICATE_OBJECT, SQL_DEPENDENT_OBJECTS, CONSTRAINT_…. */
export async function alterDomain(
  core: Core,
  { name, action, span }: Kind<'alter-domain'>,
  context: StatementContext,
): Promise<StatementResult> {
  const type = requireDomain(core, name, context);
  const created = parseStatement(type.sql) as CreateDomain;
  const own = splitKey(core.catalog, type.name).name;
  const names = checkNames(created, own);
  const named: CreateDomain = {
    ...created,
    checks: created.checks.map((check, i) => ({
      ...check,
      name: { name: names[i] ?? '', quoted: true, span },
    })),
  };
  const changed = applyAction(named, action, own);
  if (changed === named) return okResult(TAG, noteOf(action, own));
  const users = relationsWith(core, type);
  refuseUsers(core, type, users, action);
  if (action.kind === 'rename') requireFree(core, type, action.to);
  const renamed =
    action.kind === 'rename' ? { ...changed, name: keyOf(core, type, action.to) } : changed;
  const after = withSpan(span, () => boundAgain(core, type, renamed));
  const tightens = action.kind === 'add-check' || action.kind === 'set-not-null';
  await put(core, type, after, users, tightens, context);
  return okResult(TAG, '');
}

function requireDomain(
  core: Core,
  name: Kind<'alter-domain'>['name'],
  context: StatementContext,
): DomainType {
  const type = findType(core, name, context);
  if (type === undefined) {
    const written = name.parts.map((part) => part.name).join('.');
    throw new StreamError('SQL_UNKNOWN_TYPE', `type "${written}" does not exist`, {
      at: name.span,
    });
  }
  const { domain } = type;
  if (domain !== undefined) return { ...type, domain };
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `${type.name} is not a domain`, { at: name.span });
}

// ------------------------------------------------------------------ statement

/** @returns the same object when nothing is to be changed. */
function applyAction(domain: CreateDomain, action: AlterDomainAction, own: string): CreateDomain {
  const { checks } = domain;
  const find = ({ name, span }: Identifier): number => {
    const index = checks.findIndex((check) => check.name?.name === name);
    if (index >= 0) return index;
    throw new StreamError(
      'SQL_UNKNOWN_OBJECT',
      `constraint "${name}" ${shown ?? `of domain "${own}"`} does not exist`,
      { at: span },
    );
  };
  const shown = action.kind === 'rename-constraint' ? `for domain ${own}` : undefined;
  const requireNew = ({ name, span }: Identifier): void => {
    if (!checks.some((check) => check.name?.name === name)) return;
    throw new StreamError(
      'SQL_DUPLICATE_OBJECT',
      `constraint "${name}" ${shown ?? `for domain "${own}"`} already exists`,
      { at: span },
    );
  };
  switch (action.kind) {
    case 'set-default':
      return { ...domain, default: action.default };
    case 'set-not-null':
      return domain.notNull ? domain : { ...domain, notNull: true };
    case 'drop-not-null':
      return domain.notNull ? { ...domain, notNull: false } : domain;
    case 'add-check':
      if (action.name !== undefined) requireNew(action.name);
      return { ...domain, checks: [...checks, action] };
    case 'drop-constraint': {
      const isThere = checks.some((check) => check.name?.name === action.name.name);
      if (!isThere && action.ifExists) return domain;
      const gone = find(action.name);
      return { ...domain, checks: checks.filter((_, i) => i !== gone) };
    }
    case 'rename-constraint': {
      const at = find(action.name);
      requireNew(action.to);
      const name = action.to;
      return { ...domain, checks: checks.map((one, i) => (i === at ? { ...one, name } : one)) };
    }
    case 'validate-constraint':
      find(action.name);
      return domain;
    case 'rename':
      return { ...domain };
    default:
      return assertNever(action);
  }
}

function noteOf(action: AlterDomainAction, own: string): string {
  if (action.kind !== 'drop-constraint') return '';
  return `constraint "${action.name.name}" of domain "${own}" does not exist, skipping`;
}

function requireFree(core: Core, type: UserType, { name, span }: Identifier): void {
  const key = keyBeside(core.catalog, type.name, name);
  if (core.catalog.type(key) === undefined && core.catalog.relation(key) === undefined) return;
  throw new StreamError('SQL_DUPLICATE_OBJECT', `type "${name}" already exists`, { at: span });
}

function keyOf(core: Core, type: UserType, to: Identifier): CreateDomain['name'] {
  const parts = keyBeside(core.catalog, type.name, to.name).split('.');
  const { span } = to;
  return { parts: parts.map((name) => ({ name, quoted: true, span })), span };
}

/** What the names in the statement mean stays as it was when the domain was made. */
function boundAgain(core: Core, before: DomainType, statement: CreateDomain): UserType {
  const { id, searchPath } = before;
  const settings = new Map(searchPath === undefined ? [] : [['search_path', searchPath]]);
  const context = bindContext(core.catalog, statementContext(core, settings), 'view');
  const name = statement.name.parts.map((part) => part.name).join('.');
  const origin = { id, name, sql: deparse(statement) };
  return { ...bindType(statement, origin, context), searchPath };
}

// --------------------------------------------------------------------- users

/** Whether rows that are there already have been made by what changes. */
const changesValues = ({ kind }: AlterDomainAction): boolean =>
  kind !== 'set-default' && kind !== 'rename-constraint';

function refuseUsers(
  core: Core,
  type: DomainType,
  users: readonly TypeUser[],
  action: AlterDomainAction,
): void {
  const what = `alter domain ${type.name}`;
  const [other] = typesWith(core.catalog, type);
  if (other !== undefined) {
    const noun = other.domain === undefined ? 'type' : 'domain';
    throw dependentError(what, { kind: noun, name: other.name }, 'it is made of the domain');
  }
  if (action.kind === 'rename') refuseRoutines(core, type, what);
  for (const user of users) {
    const { relation } = user.entry;
    if (action.kind === 'rename') {
      throw dependentError(what, relation, 'the name is in its text');
    }
    const isFed = 'input' in relation && relation.input !== undefined;
    if (isFed && action.kind !== 'set-default') {
      throw dependentError(what, relation, 'its records have been read by the rules of before');
    }
    if (!changesValues(action) || relation.kind === 'view') continue;
    if (relation.kind !== 'table' || namesElsewhere(core, user, type)) {
      throw dependentError(what, relation, 'it computes values of the domain');
    }
  }
}

/** @throws StreamError CONSTRAINT_NOT_NULL or CONSTRAINT_CHECK for the first column with a value that the new rules refuse. */
async function requireRowsOf(
  core: Core,
  before: DomainType,
  after: UserType,
  users: readonly TypeUser[],
): Promise<void> {
  const known = new Set(before.domain.checks.map(({ name }) => name));
  const checks = (after.domain?.checks ?? [])
    .filter(({ name }) => !known.has(name))
    .map(({ expression }) => compileScalar(expression));
  const notNull = after.domain?.notNull === true;
  for (const { entry } of users) {
    const { relation } = entry;
    if (relation.kind !== 'table') continue;
    await core.writers.get(relation.id)?.settled();
    const columns = relation.schema.flatMap(({ type }, i) =>
      type.domain?.id === before.id ? [i] : [],
    );
    for await (const batch of core.store.scan(storedTable(relation))) {
      for (let i = 0; i < batch.length; i++) {
        const row = batch.row(i);
        for (const column of columns) {
          const value = row[column] ?? null;
          if (value === null && notNull) throw brokenRow(relation, column, 'not-null');
          if (checks.some((check) => check([value]) === false)) {
            throw brokenRow(relation, column, 'check');
          }
        }
      }
    }
  }
}

function brokenRow(table: SourceRelation, column: number, rule: 'not-null' | 'check'): StreamError {
  const what = `column "${table.schema[column]?.name}" of table "${bareName(table)}" contains`;
  return rule === 'not-null'
    ? new StreamError('CONSTRAINT_NOT_NULL', `${what} null values`)
    : new StreamError('CONSTRAINT_CHECK', `${what} values that violate the new constraint`);
}

// ------------------------------------------------------------------------ put

/**
 * The domain by its new rules, and the tables of it bound anew: their defaults and which of their columns can be NULL follow from it. After
 * a restart they are bound by what is saved first, so that a crash in between leaves no table by the rules of before.
 */
async function put(
  core: Core,
  before: DomainType,
  after: UserType,
  users: readonly TypeUser[],
  tightens: boolean,
  context: StatementContext,
): Promise<void> {
  const known = domainOf(before);
  const former = known.copy();
  const writers = users.flatMap(({ entry }) => core.writers.get(entry.relation.id) ?? []);
  // Who writes between the look at the rows and the new rules would not be looked at.
  await inTurns(boundTables(core, writers), async () => {
    if (tightens) await requireRowsOf(core, before, after, users);
    await settle(core, known, domainOf(after), { type: { ...after, type: before.type } });
  });
  try {
    await rebind(core, users, context);
  } catch (error) {
    await settle(core, known, former, { type: before });
    await rebind(core, users, context);
    throw error;
  }
}

async function settle(core: Core, known: Domain, rules: Domain, kept: KeptType): Promise<void> {
  await core.engine.atBoundary(async () => {
    await saveTypes(core, [kept], []);
    known.become(rules);
    core.catalog.putType(kept.type);
  });
}

async function rebind(
  core: Core,
  users: readonly TypeUser[],
  context: StatementContext,
): Promise<void> {
  for (const { entry, columns } of users) {
    const { kind, name } = entry.relation;
    if (columns.length === 0 || (kind !== 'table' && kind !== 'stream')) continue;
    const span = { start: 0, end: 0 };
    const parts = name.split('.').map((part) => ({ name: part, quoted: true, span }));
    await alterRelation(
      core,
      { kind: 'alter', object: kind, name: { parts, span }, ifExists: false, actions: [], span },
      context,
    );
  }
}

function domainOf({ type }: UserType): Domain {
  assert(type.domain !== undefined, 'the type is a domain');
  return type.domain;
}
