/** What a query can ask about its session: the database, the user, schemas and settings. */
import type { Datum } from './base/datum.ts';
import { type Span, StreamError } from './base/error.ts';
import type { SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { unknownFunction } from './bind-scalar.ts';
import { searchPath } from './bind-schema.ts';
import { booleanType, coerce, textType } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import type { PolymorphicSignature } from './function/polymorphic-signature.ts';
import { DATABASE, OWNER } from './system-catalog.ts';
import { isTemporarySchema } from './temporary.ts';

interface SessionFunction {
  readonly parameters: readonly SqlType[];
  /** How many of the parameters must be there. */
  readonly required: number;
  readonly result: SqlType;
  readonly description: string;
  readonly value: (context: BindContext, args: readonly (Datum | null)[]) => Datum | null;
}

function schemas({ catalog, statement }: BindContext): readonly string[] {
  return searchPath(statement.settings).filter(
    (name) => !isTemporarySchema(name) && catalog.schemas().includes(name),
  );
}

const plain = (
  description: string,
  value: (context: BindContext) => Datum | null,
): SessionFunction => ({ parameters: [], required: 0, result: textType, description, value });

const user = plain('name of the user', () => OWNER);
const database = plain('name of the database', () => DATABASE);

const sessionFunctions: ReadonlyMap<string, SessionFunction> = new Map([
  ['current_catalog', database],
  ['current_database', database],
  ['current_role', user],
  ['current_user', user],
  ['session_user', user],
  ['user', user],
  ['system_user', plain('identity behind the user, which there is none of', () => null)],
  [
    'current_schema',
    plain('schema in which names are created', (context) => schemas(context)[0] ?? null),
  ],
  [
    'current_schemas',
    {
      parameters: [booleanType],
      required: 1,
      result: { kind: 'array', element: textType },
      description: 'schemas in which names are looked for; true: those of the system too',
      value: (context, [system]) => {
        if (system === null || system === undefined) return null;
        return system === true ? ['pg_catalog', ...schemas(context)] : schemas(context);
      },
    },
  ],
  [
    'current_setting',
    {
      parameters: [textType, booleanType],
      required: 1,
      result: textType,
      description: 'value of a setting; true: NULL for one that is not there',
      value: ({ statement }, [name, lenient = false]) => {
        if (typeof name !== 'string' || lenient === null) return null;
        const value = statement.settings.get(name.toLowerCase());
        if (value !== undefined || lenient === true) return value ?? null;
        throw new StreamError(
          'SQL_UNKNOWN_OBJECT',
          `unrecognized configuration parameter "${name}"`,
        );
      },
    },
  ],
  ['getdatabaseencoding', plain('encoding of the database', () => 'UTF8')],
  ['pg_client_encoding', plain('encoding of the client', () => 'UTF8')],
  [
    'version',
    plain(
      'version of PostgreSQL whose language this is',
      ({ statement }) => `PostgreSQL ${statement.settings.get('server_version') ?? ''} (Millrace)`,
    ),
  ],
]);

export const isSessionFunction = (name: string): boolean => sessionFunctions.has(name);

/** For SHOW FUNCTIONS and the docs. */
export const sessionSignatures: readonly PolymorphicSignature[] = [...sessionFunctions].map(
  ([name, { parameters, result, description, required }]) => ({
    name,
    kind: 'scalar',
    parameters: parameters
      .map((type, i) => (i < required ? type.kind : `[${type.kind}]`))
      .join(', '),
    result: result.kind === 'array' ? 'text[]' : result.kind,
    description,
    family: 'system',
  }),
);

/** @throws StreamError SQL_NOT_INCREMENTAL outside of a query that is answered once. */
export function bindSession(
  name: string,
  args: readonly BoundExpr[],
  span: Span,
  context: BindContext,
): BoundExpr {
  const fn = sessionFunctions.get(name);
  if (fn === undefined || args.length < fn.required || args.length > fn.parameters.length) {
    throw unknownFunction(
      name,
      args.map((arg) => arg.type),
      span,
      [name],
    );
  }
  if (context.purpose !== 'pull') {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      `${name} depends on the session that asks, so rows that are kept cannot hold it`,
      { at: span, hint: 'Ask for it in the query that reads the view.' },
    );
  }
  const converted = args.map((arg, i) => coerce(arg, fn.parameters[i] ?? arg.type, context));
  const type = fn.result;
  if (args.length === 0) return { kind: 'literal', value: fn.value(context, []), type, span };
  return {
    kind: 'call',
    fn: {
      name,
      parameters: converted.map((arg) => arg.type),
      result: type,
      strict: false,
      evaluate: (...values: readonly (Datum | null)[]) => fn.value(context, values),
      description: fn.description,
      family: 'system',
    },
    args: converted,
    type,
    span,
  };
}
