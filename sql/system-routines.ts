/** What clients ask about functions: those of users, in pg_proc and information_schema. */
import type { Datum } from './base/datum.ts';
import { type SqlType, typeName } from './base/type.ts';
import type { Catalog } from './catalog.ts';
import type { Routine } from './routine.ts';
import type { SystemTable } from './system-catalog.ts';

/** As the rest of the system catalog numbers things. */
interface Naming {
  readonly typeOid: (type: SqlType) => bigint;
  readonly udtName: (type: SqlType) => string;
}

const FIRST_OID = 16_384;
const PUBLIC_OID = 2_200n;
const OWNER_OID = 10n;
const DATABASE = 'millrace';

/** PostgreSQL's numbers of internal and sql; javascript has one of those that users' languages get. */
const LANGUAGES = [
  ['internal', 12n],
  ['sql', 14n],
  ['javascript', 13_999n],
] as const satisfies readonly (readonly [Routine['language'], bigint])[];
const LANGUAGE_OIDS: ReadonlyMap<string, bigint> = new Map(LANGUAGES);

const VOLATILITIES = { immutable: 'i', stable: 's', volatile: 'v' } as const;

const text: SqlType = { kind: 'text' };
const texts: SqlType = { kind: 'array', element: text };
const oid: SqlType = { kind: 'bigint' };
const oids: SqlType = { kind: 'array', element: oid };
const small: SqlType = { kind: 'smallint' };
const boolean: SqlType = { kind: 'boolean' };

const all = (catalog: Catalog): readonly Routine[] => catalog.routines?.all() ?? [];
const routineOid = ({ id }: Routine): bigint => BigInt(FIRST_OID + id);
const isAggregate = ({ body }: Routine): boolean => body.kind === 'aggregate';
const yes = (value: boolean): string => (value ? 'YES' : 'NO');

export function routineTables({ typeOid, udtName }: Naming): Readonly<Record<string, SystemTable>> {
  return {
    'pg_catalog.pg_language': {
      columns: [
        ['oid', oid],
        ['lanname', text],
      ],
      rows: () => LANGUAGES.map(([name, id]) => [id, name]),
    },
    'pg_catalog.pg_proc': {
      columns: [
        ['oid', oid],
        ['proname', text],
        ['pronamespace', oid],
        ['proowner', oid],
        ['prolang', oid],
        ['prokind', text],
        ['proisstrict', boolean],
        ['proretset', boolean],
        ['provolatile', text],
        ['pronargs', small],
        ['pronargdefaults', small],
        ['prorettype', oid],
        ['proargtypes', oids],
        ['proargnames', texts],
        ['prosrc', text],
      ],
      rows: (catalog) =>
        all(catalog).map((routine): readonly (Datum | null)[] => {
          const { parameters } = routine;
          const isNamed = parameters.some(({ name }) => name !== undefined);
          return [
            routineOid(routine),
            routine.name,
            PUBLIC_OID,
            OWNER_OID,
            LANGUAGE_OIDS.get(routine.language) ?? null,
            isAggregate(routine) ? 'a' : 'f',
            routine.strict,
            routine.body.kind === 'set' || routine.body.kind === 'rows',
            VOLATILITIES[routine.volatility],
            parameters.length,
            parameters.filter((one) => one.default !== undefined).length,
            typeOid(routine.result),
            parameters.map(({ type }) => typeOid(type)),
            isNamed ? parameters.map(({ name }) => name ?? '') : null,
            routine.source ?? null,
          ];
        }),
    },
    'information_schema.routines': {
      columns: [
        ['specific_schema', text],
        ['specific_name', text],
        ['routine_catalog', text],
        ['routine_schema', text],
        ['routine_name', text],
        ['routine_type', text],
        ['data_type', text],
        ['type_udt_name', text],
        ['routine_body', text],
        ['routine_definition', text],
        ['external_language', text],
        ['is_deterministic', text],
        ['is_null_call', text],
      ],
      rows: (catalog) =>
        all(catalog).map((routine): readonly (Datum | null)[] => [
          'public',
          `${routine.name}_${routineOid(routine)}`,
          DATABASE,
          'public',
          routine.name,
          isAggregate(routine) ? null : 'FUNCTION',
          routine.result.kind === 'array' ? 'ARRAY' : typeName(routine.result),
          udtName(routine.result),
          routine.language === 'sql' ? 'SQL' : 'EXTERNAL',
          routine.source ?? null,
          routine.language.toUpperCase(),
          yes(routine.volatility === 'immutable'),
          isAggregate(routine) ? null : yes(routine.strict),
        ]),
    },
  };
}
