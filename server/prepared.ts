/** PREPARE, EXECUTE and DEALLOCATE: statements that a session keeps by name, with the types of their parameters. */
import type { Statement } from '../sql/ast-statement.ts';
import type { Datum } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { type SqlType, typeName } from '../sql/base/type.ts';
import { places } from '../sql/bind-context.ts';
import { Scope } from '../sql/bind-scope.ts';
import { bindStatement } from '../sql/bind-statement.ts';
import { bindTypeName } from '../sql/bind-type.ts';
import { settleExpression } from '../sql/bind-volatile.ts';
import { bindContext } from '../sql/binder.ts';
import type { StatementContext } from '../sql/catalog.ts';
import { tryCoerce } from '../sql/coerce.ts';
import { evaluate } from '../sql/evaluate.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { sourceEnvironment } from './ddl.ts';
import { okResult } from './row-result.ts';

/** Prepared statements of one session. */
const PREPARED_MAX = 1_000;

interface Prepared {
  readonly statement: Statement;
  /** The text that the statement's spans point into. */
  readonly sql: string;
  readonly types: readonly SqlType[];
}

/** A statement with values for its parameters. */
export interface Execution {
  readonly statement: Statement;
  readonly sql: string;
  readonly values: readonly (Datum | null)[];
  readonly types: readonly SqlType[];
}

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };

export class PreparedStatements {
  readonly #core: Core;
  readonly #byName = new Map<string, Prepared>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** @throws StreamError SQL_DUPLICATE_PREPARED, and as the statement does when it is bound. */
  prepare(node: Kind<'prepare'>, sql: string, context: StatementContext): StatementResult {
    const { name } = node.name;
    if (this.#byName.has(name)) {
      throw new StreamError(
        'SQL_DUPLICATE_PREPARED',
        `prepared statement "${name}" already exists`,
        {
          at: node.name.span,
        },
      );
    }
    if (this.#byName.size >= PREPARED_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `a session keeps at most ${PREPARED_MAX} statements`,
        {
          hint: 'DEALLOCATE those that are no longer needed.',
        },
      );
    }
    const { catalog } = this.#core;
    const scope = { catalog, statement: context };
    const inferred: (SqlType | undefined)[] = node.types.map((type) => bindTypeName(type, scope));
    const open = { ...context, params: [], paramTypes: [], inferred };
    bindStatement(node.statement, catalog, open, sourceEnvironment(this.#core));
    const types = Array.from(inferred, (type, i) => {
      if (type !== undefined) return type;
      throw new StreamError(
        'SQL_INDETERMINATE_TYPE',
        `could not determine data type of parameter $${i + 1}`,
        { at: node.span },
      );
    });
    this.#byName.set(name, { statement: node.statement, sql, types });
    return okResult('PREPARE', '');
  }

  /** @throws StreamError SQL_UNKNOWN_PREPARED; SQL_SYNTAX and SQL_DATATYPE_MISMATCH for the arguments. */
  execution(node: Kind<'execute'>, context: StatementContext): Execution {
    const { statement, sql, types } = this.#find(node.name.name, node);
    if (node.args.length !== types.length) {
      throw new StreamError(
        'SQL_SYNTAX',
        `wrong number of parameters for prepared statement "${node.name.name}"`,
        {
          at: node.span,
          detail: `Expected ${types.length} parameters but got ${node.args.length}.`,
        },
      );
    }
    const binding = bindContext(this.#core.catalog, context, 'pull');
    const scope = new Scope({ context: binding, parent: undefined, commonTables: new Map() });
    const values = node.args.map((arg, i) => {
      const type = types[i] ?? { kind: 'text' as const };
      const bound = settleExpression(
        scope.within(places.execute, () => binding.rules.expression(arg, scope)),
        binding,
      );
      const coerced = tryCoerce(bound, type, 'assignment', binding);
      if (coerced !== undefined) return evaluate(coerced, []);
      throw new StreamError(
        'SQL_DATATYPE_MISMATCH',
        `parameter $${i + 1} of type ${typeName(bound.type)} cannot be coerced to the expected type ${typeName(type)}`,
        { at: arg.span, hint: 'You will need to rewrite or cast the expression.' },
      );
    });
    return { statement, sql, values, types };
  }

  #find(name: string, node: Statement): Prepared {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    throw new StreamError('SQL_UNKNOWN_PREPARED', `prepared statement "${name}" does not exist`, {
      at: node.span,
    });
  }

  deallocate(node: Kind<'deallocate'>): StatementResult {
    if (node.name === 'all') {
      this.#byName.clear();
      return okResult('DEALLOCATE ALL', '');
    }
    this.#find(node.name.name, node);
    this.#byName.delete(node.name.name);
    return okResult('DEALLOCATE', '');
  }
}
