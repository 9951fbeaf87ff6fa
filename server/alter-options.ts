/** ALTER of a stream or table over a topic: how its records are read, and what becomes of bad ones. */
import type { AlterAction } from '../sql/ast-alter.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { bindOptions } from '../sql/bind-options.ts';
import type { MaterializedView, Relation, SourceRelation } from '../sql/catalog.ts';
import { deparse } from '../sql/deparse.ts';
import { parseStatement } from '../sql/parser.ts';
import { stateBudget } from './budget.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { relationOf } from './ddl.ts';
import { engineStreamId } from './definitions.ts';
import { errorCounts } from './error-relations.ts';
import { redefineSource } from './lifecycle/source.ts';
import { redefineView } from './lifecycle/view.ts';
import { okResult } from './row-result.ts';
import { withNamedConstraints } from './table-definition.ts';

type Alter = Statement & { readonly kind: 'alter' };
type CreateRelation = Statement & { readonly kind: 'create-relation' };

/** Options that say which records are read; other ones would be another stream. */
const FIXED_OPTIONS = ['connector', 'kafka_topic', 'topic', 'partitions', 'bootstrap.servers'];

const OPTION_ACTIONS: ReadonlySet<AlterAction['kind']> = new Set([
  'set-options',
  'reset-options',
  'skip-record',
  'drop-constraint',
]);

/** Whether a statement says how something is read or kept, and nothing about its columns or name. */
export function altersOptions(core: Core, { actions, name }: Alter): boolean {
  const relation = core.catalog.relation(name.parts.at(-1)?.name ?? '');
  const isStored = relation?.kind === 'table' && relation.input === undefined;
  return !isStored && actions.every(({ kind }) => OPTION_ACTIONS.has(kind));
}

/** @throws StreamError for what cannot be changed in place. */
export async function alterOptions(core: Core, statement: Alter): Promise<StatementResult> {
  const name = statement.name.parts.at(-1)?.name ?? '';
  const tag = `ALTER ${statement.object.replaceAll('-', ' ').toUpperCase()}`;
  const relation = core.catalog.relation(name);
  if (relation === undefined) {
    if (statement.ifExists) return okResult(tag, `"${name}" does not exist, skipping`);
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${name}" does not exist`, {
      at: statement.name.span,
    });
  }
  if (relation.kind === 'materialized-view' && statement.object === 'materialized-view') {
    await alterView(core, relation, statement);
    return okResult(tag, '');
  }
  const source = requireSource(relation, statement);
  const [action] = statement.actions;
  if (action?.kind === 'skip-record' && statement.actions.length === 1) {
    return okResult(tag, skipRecord(core, source));
  }
  const definition = parseStatement(source.sql);
  if (definition.kind !== 'create-relation') throw notSupported(statement);
  const altered = statement.actions.reduce(
    (current, each) => applyAction(current, each, source, statement),
    definition,
  );
  await redefine(core, source, { ...altered, orReplace: false, ifNotExists: false });
  return okResult(tag, '');
}

/** Only the budget: the rows and the plan stay what they are. */
async function alterView(core: Core, view: MaterializedView, statement: Alter): Promise<void> {
  const definition = parseStatement(view.sql);
  if (definition.kind !== 'create-view') throw notSupported(statement);
  let { options } = definition;
  for (const action of statement.actions) {
    if (action.kind !== 'set-options' && action.kind !== 'reset-options') {
      throw notSupported(statement);
    }
    const added = action.kind === 'set-options' ? action.options : [];
    const keys = action.kind === 'set-options' ? added.map(({ key }) => key) : action.keys;
    if (keys.some((key) => key !== 'max_state')) throw notSupported(statement);
    options = [...options.filter(({ key }) => !keys.includes(key)), ...added];
  }
  const sql = deparse({ ...definition, options, orReplace: false, ifNotExists: false });
  const stateBytesMax = stateBudget(bindOptions(options));
  await redefineView(core, { ...view, sql, stateBytesMax });
}

function requireSource(relation: Relation, statement: Alter): SourceRelation {
  const isSource = relation.kind === 'stream' || relation.kind === 'table';
  if (!isSource || relation.input === undefined) throw notSupported(statement);
  if (statement.object !== relation.kind && statement.object !== 'source') {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${relation.name}" is a ${relation.kind}`, {
      at: statement.name.span,
    });
  }
  return relation;
}

function notSupported(statement: Alter): StreamError {
  return new StreamError('SQL_NOT_SUPPORTED', 'this cannot be altered', {
    at: statement.span,
    hint: 'ALTER changes options and drops CHECKs of streams over topics, and max_state of materialized views.',
  });
}

function skipRecord(core: Core, source: SourceRelation): string {
  const stream = core.engine.stream(engineStreamId(source));
  const stopped = stream?.stoppedAt;
  if (stopped === undefined || !core.engine.skipRecord(engineStreamId(source))) {
    throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${source.name}" has not stopped at a record`);
  }
  return `partition ${stopped.partition} offset ${stopped.offset} is in ${source.name}_errors`;
}

function applyAction(
  definition: CreateRelation,
  action: AlterAction,
  source: SourceRelation,
  statement: Alter,
): CreateRelation {
  switch (action.kind) {
    case 'set-options': {
      const keys = action.options.map(({ key }) => key);
      refuseFixed(keys, source, statement);
      const kept = definition.options.filter(({ key }) => !keys.includes(key));
      return { ...definition, options: [...kept, ...action.options] };
    }
    case 'reset-options':
      refuseFixed(action.keys, source, statement);
      return {
        ...definition,
        options: definition.options.filter(({ key }) => !action.keys.includes(key)),
      };
    case 'drop-constraint': {
      const named = withNamedConstraints(definition, source);
      const constraints = named.constraints.filter(
        ({ kind, name }) => kind !== 'check' || name?.name !== action.name.name,
      );
      const isSame = constraints.length === named.constraints.length;
      if (!isSame) return { ...named, constraints };
      if (action.ifExists) return definition;
      throw new StreamError(
        'SQL_UNKNOWN_OBJECT',
        `constraint "${action.name.name}" of relation "${source.name}" does not exist`,
        { at: action.name.span, hint: 'CHECK constraints can be dropped.' },
      );
    }
    default:
      throw notSupported(statement);
  }
}

function refuseFixed(keys: readonly string[], source: SourceRelation, statement: Alter): void {
  // Records may be on their way to the topic that is named now.
  const isFixed = (key: string): boolean =>
    FIXED_OPTIONS.includes(key) ||
    (key === 'dlq_topic' && source.input?.options.has('dlq_topic') === true);
  const fixed = keys.find(isFixed);
  if (fixed === undefined) return;
  throw new StreamError('SQL_INVALID_OPTION', `option "${fixed}" cannot be altered`, {
    at: statement.span,
    hint: 'CREATE another stream, or DROP this one first.',
  });
}

/** Plans know the columns, so these stay; what is in the error relation waits for REPLAY ERRORS. */
async function redefine(
  core: Core,
  source: SourceRelation,
  altered: CreateRelation,
): Promise<void> {
  const sql = deparse(altered);
  const next = relationOf(core, sql, source.id, core.catalog.find(source.name)?.detail ?? {});
  if (next.kind !== source.kind || JSON.stringify(next.schema) !== JSON.stringify(source.schema)) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'the columns of a stream cannot be altered');
  }
  const { count = 0, evicted = 0 } = errorCounts(core, source.name) ?? {};
  if (evicted > 0) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `${evicted} bad records are no longer in "${source.name}_errors", so that views before and after the change would differ`,
      { hint: 'CREATE another stream over the topic, and views over it.' },
    );
  }
  if (count > 0 && source.kind === 'table' && source.primaryKey.length > 0) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `records of "${source.name}" were refused, and a changelog cannot be read out of order`,
      { hint: 'DROP and CREATE the table.' },
    );
  }
  await redefineSource(core, next, count > 0);
}
