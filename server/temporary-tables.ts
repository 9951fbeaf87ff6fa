/**
 * Temporary tables and views of one session. They stand in a schema of their own, where the session looks first, and go with it;
 * what a crash leaves is dropped at the start.
 */
import type { Statement } from '../sql/ast-statement.ts';
import { searchPath } from '../sql/bind-schema.ts';
import { isTemporaryName, isTemporarySchema, temporarySchema } from '../sql/temporary.ts';
import type { Core } from './core.ts';
import { addSchema, dropSchemas } from './schema-statement.ts';
import { statementContext } from './statement-context.ts';
import { tableFromQuery } from './table-from-query.ts';

export class TemporaryTables {
  readonly #core: Core;
  #schema: string | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Makes the schema when the statement is the first one that needs it. */
  async prepare(statement: Statement): Promise<void> {
    if (this.#schema !== undefined || !createsTemporary(statement)) return;
    const { catalog } = this.#core;
    // Numbers of the catalog come again after a restart, but definitions may remember the schema.
    const schema = temporarySchema(`${catalog.nextId()}_${this.#core.nowMicros()}`);
    await addSchema(this.#core, schema);
    this.#schema = schema;
  }

  /** The session's settings as names are looked for. */
  seen(settings: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    if (this.#schema === undefined) return settings;
    const path = [this.#schema, settings.get('search_path') ?? ''].filter((part) => part !== '');
    return new Map(settings).set('search_path', path.join(', '));
  }

  async drop(): Promise<void> {
    const schema = this.#schema;
    this.#schema = undefined;
    if (schema !== undefined) await dropTemporary(this.#core, [schema]);
  }
}

function createsTemporary(statement: Statement): boolean {
  const name =
    statement.kind === 'create-relation' || statement.kind === 'create-view'
      ? statement.name
      : tableFromQuery(statement)?.name;
  return name !== undefined && isTemporaryName(name);
}

/** The settings as they are shown: without what the session's temporary tables add. */
export function shownSettings(settings: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const path = searchPath(settings);
  if (!path.some(isTemporarySchema)) return settings;
  return new Map(settings).set(
    'search_path',
    path.filter((schema) => !isTemporarySchema(schema)).join(', '),
  );
}

/** Call it when the engine runs, before there are sessions. */
export async function dropLeftTemporary(core: Core): Promise<void> {
  const left = core.catalog.schemas().filter(isTemporarySchema);
  if (left.length > 0) await dropTemporary(core, left);
}

async function dropTemporary(core: Core, schemas: readonly string[]): Promise<void> {
  const span = { start: 0, end: 0 };
  const names = schemas.map((name) => ({ parts: [{ name, quoted: true, span }], span }));
  await dropSchemas(
    core,
    {
      kind: 'drop',
      object: 'schema',
      names,
      ifExists: true,
      cascade: true,
      deleteTopic: false,
      span,
    },
    statementContext(core, new Map()),
  );
}
