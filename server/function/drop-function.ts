/** DROP FUNCTION and DROP AGGREGATE. */

import type { QualifiedName } from '../../sql/ast.ts';
import type { Statement } from '../../sql/ast-statement.ts';
import { StreamError } from '../../sql/base/error.ts';
import { functionSignature, signatureOf } from '../../sql/bind-routine.ts';
import { bindTypeName, type TypeScope } from '../../sql/bind-type.ts';
import type { Routine } from '../../sql/routine.ts';
import type { Core } from '../core.ts';
import type { StatementResult } from '../database.ts';
import { dropRelations } from '../lifecycle/drop.ts';
import type { LiveRelation } from '../live-catalog.ts';
import { okResult } from '../row-result.ts';
import { type Dependent, dependentsOf } from './function-dependents.ts';
import { sameParameters } from './routines.ts';

type Drop = Statement & { readonly kind: 'drop' };

/** What falls with the functions, functions before what they call. */
interface Doomed {
  readonly routines: Routine[];
  readonly relations: LiveRelation[];
}

/** Refused while something calls the function, unless CASCADE. @throws StreamError SQL_UNKNOWN_FUNCTION, SQL_DEPENDENT_OBJECTS. */
export async function dropRoutines(
  core: Core,
  statement: Drop,
  scope: TypeScope,
): Promise<StatementResult> {
  const named: Routine[] = [];
  const notes: string[] = [];
  for (const [i, name] of statement.names.entries()) {
    const found = findRoutine(core, statement, name, i, scope);
    if (typeof found === 'string') notes.push(`${found}, skipping`);
    else if (!named.includes(found)) named.push(found);
  }
  const doomed: Doomed = { routines: [...named], relations: [] };
  const others: Dependent[] = [];
  // The list grows while it is read.
  for (const routine of doomed.routines) {
    for (const dependent of dependentsOf(core, routine)) {
      if (!add(core, doomed, dependent)) continue;
      others.push(dependent);
      if (!statement.cascade) throw refuse(routine, dependent, statement);
    }
  }
  if (doomed.relations.length > 0) await dropRelations(core, doomed.relations);
  await core.engine.atBoundary(async () => {
    await core.store.changeCatalog({
      put: [],
      remove: doomed.routines.map(({ id }) => id),
      createTables: [],
      dropTables: [],
    });
    for (const routine of doomed.routines) core.catalog.routines.remove(routine);
  });
  const fallen =
    doomed.routines.length -
    named.length +
    doomed.relations.filter(({ owner }) => owner === undefined).length;
  if (fallen > 0)
    notes.push(`drop cascades to ${fallen} other ${fallen === 1 ? 'object' : 'objects'}`);
  return okResult(`DROP ${statement.object.toUpperCase()}`, notes.join('; '));
}

/** @returns false for what falls already. */
function add(core: Core, { routines, relations }: Doomed, dependent: Dependent): boolean {
  if (dependent.kind === 'routine') {
    if (routines.includes(dependent.routine)) return false;
    routines.push(dependent.routine);
    return true;
  }
  if (relations.includes(dependent.entry)) return false;
  for (const one of core.catalog.withDependents(dependent.entry.relation.name)) {
    if (!relations.includes(one)) relations.push(one);
  }
  return true;
}

function refuse(routine: Routine, dependent: Dependent, { names }: Drop): StreamError {
  const what = `function ${signatureOf(routine)}`;
  return new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop ${what} because other objects depend on it`,
    {
      at: names[0]?.span,
      detail: `${dependent.text} depends on ${what}`,
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    },
  );
}

/** @returns the message for one that is not there, which IF EXISTS allows. */
function findRoutine(
  core: Core,
  statement: Drop,
  name: QualifiedName,
  i: number,
  scope: TypeScope,
): Routine | string {
  const { catalog } = core;
  const bare = name.parts.at(-1)?.name ?? '';
  const at = name.span;
  const isAggregate = statement.object === 'aggregate';
  const written = statement.signatures?.[i];
  const types = written?.map((type) => bindTypeName(type, scope));
  const parameters = types?.map((type) => ({ name: undefined, type, default: undefined }));
  const all = catalog.routines.named(bare);
  const fitting =
    parameters === undefined ? all : all.filter((one) => sameParameters(one, { parameters }));
  const [found, second] = fitting;
  if (found === undefined) {
    const text = types === undefined ? bare : functionSignature(bare, types);
    const message =
      types === undefined && !isAggregate
        ? `could not find a function named "${bare}"`
        : `${statement.object} ${text} does not exist`;
    if (statement.ifExists) return message;
    throw new StreamError('SQL_UNKNOWN_FUNCTION', message, { at });
  }
  if (second !== undefined) {
    throw new StreamError(
      'SQL_AMBIGUOUS_FUNCTION',
      `${statement.object} name "${bare}" is not unique`,
      {
        at,
        hint: `Specify the argument list to select the ${statement.object} unambiguously.`,
      },
    );
  }
  if ((found.body.kind === 'aggregate') !== isAggregate) {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      isAggregate
        ? `function ${signatureOf(found)} is not an aggregate`
        : `${signatureOf(found)} is an aggregate function`,
      { at, hint: `Use DROP ${isAggregate ? 'FUNCTION' : 'AGGREGATE'}.` },
    );
  }
  return found;
}
