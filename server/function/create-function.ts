/** CREATE FUNCTION and CREATE AGGREGATE: now, and again from the catalog after a restart. */
import type { Statement } from '../../sql/ast-statement.ts';
import { assert } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import { sameType, typeName } from '../../sql/base/type.ts';
import { bindCreateAggregate } from '../../sql/bind-create-aggregate.ts';
import { bindCreateFunction } from '../../sql/bind-create-function.ts';
import { signatureOf } from '../../sql/bind-routine.ts';
import { bindContext } from '../../sql/binder.ts';
import type { StatementContext } from '../../sql/catalog.ts';
import { parseStatement } from '../../sql/parser.ts';
import type { Routine } from '../../sql/routine.ts';
import type { Core } from '../core.ts';
import type { StatementResult } from '../database.ts';
import { counterOf } from '../lifecycle/entry.ts';
import { okResult } from '../row-result.ts';
import { statementContext } from '../statement-context.ts';
import { dependentsOf } from './function-dependents.ts';
import { sameParameters } from './routines.ts';
import { compileScript } from './script-function.ts';

/** The catalog's entries of functions and aggregates. */
export const ROUTINE_KIND = 'routine';
/** Functions and aggregates of one database. */
const ROUTINES_MAX = 10_000;

export type CreateRoutine = Statement & { readonly kind: 'create-function' | 'create-aggregate' };

/**
 * @param text  of the statement, which the catalog keeps.
 * @throws StreamError SQL_DUPLICATE_FUNCTION, SQL_INVALID_FUNCTION, SQL_DEPENDENT_OBJECTS, and what is wrong with the body.
 */
export async function createRoutine(
  core: Core,
  statement: CreateRoutine,
  text: string,
  context: StatementContext,
): Promise<StatementResult> {
  const routine = await routineOf(core, statement, context, true);
  await core.engine.atBoundary(async () => {
    const replaced = refuseTaken(core, statement, routine);
    const made: Routine = { ...routine, id: core.catalog.nextId(), sql: text };
    const name = signatureOf(made);
    await core.store.changeCatalog({
      put: [{ id: made.id, name, kind: ROUTINE_KIND, sql: text, detail: '{}' }, counterOf(core)],
      remove: replaced === undefined ? [] : [replaced.id],
      createTables: [],
      dropTables: [],
    });
    core.catalog.routines.put(made);
  });
  return okResult(
    statement.kind === 'create-aggregate' ? 'CREATE AGGREGATE' : 'CREATE FUNCTION',
    '',
  );
}

/** Brings back what the catalog held. Its body was looked at when it was made. */
export async function restoreRoutine(core: Core, id: number, sql: string): Promise<void> {
  const statement = parseStatement(sql);
  assert(
    statement.kind === 'create-function' || statement.kind === 'create-aggregate',
    'the catalog keeps the statement that made the function',
  );
  const routine = await routineOf(core, statement, statementContext(core, new Map()), false);
  core.catalog.routines.put({ ...routine, id, sql });
}

/** @param isNew  its body has not been looked at before. */
async function routineOf(
  core: Core,
  statement: CreateRoutine,
  context: StatementContext,
  isNew: boolean,
): Promise<Omit<Routine, 'id' | 'sql'>> {
  const bind = bindContext(core.catalog, context, 'pull');
  if (statement.kind === 'create-aggregate') return bindCreateAggregate(statement, bind);
  const isScript = statement.language.toLowerCase() !== 'sql';
  const engine = isScript ? await core.scripts.engine() : undefined;
  return bindCreateFunction(statement, bind, isNew, (source) => {
    assert(engine !== undefined, 'only scripts are compiled');
    return compileScript(engine, source, isNew);
  });
}

/** @returns the routine that is replaced. */
function refuseTaken(
  core: Core,
  statement: CreateRoutine,
  routine: Omit<Routine, 'id' | 'sql'>,
): Routine | undefined {
  const { catalog } = core;
  const at = statement.name.span;
  const others = catalog.routines.named(routine.name);
  const isAggregate = (one: Pick<Routine, 'body'>): boolean => one.body.kind === 'aggregate';
  const known = others.find((one) => sameParameters(one, routine));
  if (known === undefined) {
    if (others.some((one) => isAggregate(one) !== isAggregate(routine))) {
      const kind = isAggregate(routine) ? 'a function' : 'an aggregate';
      throw new StreamError('SQL_DUPLICATE_FUNCTION', `"${routine.name}" is ${kind}`, {
        at,
        hint: 'Functions and aggregates of one name cannot be told apart: choose another name.',
      });
    }
    if (catalog.routines.all().length >= ROUTINES_MAX) {
      throw new StreamError('VALUE_PROGRAM_LIMIT', `there are ${ROUTINES_MAX} functions already`, {
        at,
      });
    }
    return undefined;
  }
  if (!statement.orReplace) {
    throw new StreamError(
      'SQL_DUPLICATE_FUNCTION',
      `function "${routine.name}" already exists with same argument types`,
      { at, hint: 'Use CREATE OR REPLACE.' },
    );
  }
  refuseOtherShape(statement, known, routine);
  refuseUsed(core, known, statement);
  return known;
}

/** As PostgreSQL: whoever calls it relies on that. */
function refuseOtherShape(
  { name: { span: at } }: CreateRoutine,
  known: Routine,
  next: Omit<Routine, 'id' | 'sql'>,
): void {
  const hint = `Use DROP FUNCTION ${signatureOf(known)} first.`;
  if ((known.body.kind === 'aggregate') !== (next.body.kind === 'aggregate')) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', 'cannot change routine kind', { at, hint });
  }
  const isSet = (one: Pick<Routine, 'body'>): boolean => one.body.kind === 'set';
  if (!sameType(known.result, next.result) || isSet(known) !== isSet(next)) {
    throw new StreamError(
      'SQL_INVALID_FUNCTION',
      'cannot change return type of existing function',
      { at, detail: `It returns ${typeName(known.result)}.`, hint },
    );
  }
  for (const [i, { name }] of known.parameters.entries()) {
    if (name === undefined || name === next.parameters[i]?.name) continue;
    throw new StreamError(
      'SQL_INVALID_FUNCTION',
      `cannot change name of input parameter "${name}"`,
      {
        at,
        hint,
      },
    );
  }
}

function refuseUsed(core: Core, known: Routine, statement: CreateRoutine): void {
  const [first] = dependentsOf(core, known);
  if (first === undefined) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot replace function ${signatureOf(known)} because ${first.text} depends on it`,
    {
      at: statement.name.span,
      hint: `What it computed with the old body would stay: DROP FUNCTION ${signatureOf(known)} CASCADE, or make a function of another name.`,
    },
  );
}
