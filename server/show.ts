/** SHOW … and DESCRIBE: the catalog and its state as rows. */
import type { TopicLog } from '../connectors/connector.ts';
import type { ConnectorRegistry } from '../connectors/registry.ts';
import type { Engine } from '../engine/runtime/engine.ts';
import type { Datum } from '../sql/base/datum.ts';
import { StreamError } from '../sql/base/error.ts';
import { typeName } from '../sql/base/type.ts';
import type { MaterializedView, Relation } from '../sql/catalog.ts';
import { registry } from '../sql/function/builtin.ts';
import { polymorphicSignatures } from '../sql/function/polymorphic-signature.ts';
import { DATABASE } from '../sql/system-catalog.ts';
import type { StatementResult } from './database.ts';
import { errorCounts } from './error-relations.ts';
import type { LiveCatalog } from './live-catalog.ts';
import { maskSecrets } from './mask-secrets.ts';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, rowsResult, TEXT } from './row-result.ts';
import { settingKey, shownName } from './settings.ts';
import { showSinks, sinkProperties } from './show-sinks.ts';
import { showSources } from './show-source.ts';
import { showTypes } from './show-types.ts';
import { showWatermarks } from './show-watermarks.ts';

export interface ShowContext {
  readonly catalog: LiveCatalog;
  readonly engine: Engine;
  readonly connectors: ConnectorRegistry;
  readonly logs: readonly TopicLog[];
  readonly settings: ReadonlyMap<string, string>;
}

type Show = (context: ShowContext) => Promise<StatementResult>;

/** What may follow SHOW; a test keeps docs and table in step. */
const SHOWS: Readonly<Record<string, Show>> = {
  streams: async (context) => showSources(context, 'stream'),
  tables: async (context) => showSources(context, 'table'),
  sources: async (context) => showSources(context, undefined),
  views: showViews,
  'materialized views': showViews,
  sinks: showSinks,
  topics: showTopics,
  types: async (context) => showTypes(context),
  functions: showFunctions,
  queries: showQueries,
  jobs: showQueries,
  schemas: async ({ catalog }) => showNames(catalog.schemas()),
  databases: async () => showNames([DATABASE]),
  watermarks: async (context) => showWatermarks(context),
  all: showSettings,
};

/** @throws StreamError SQL_UNKNOWN_OBJECT with what there is. */
export async function show(
  context: ShowContext,
  what: string,
  like: string | undefined,
): Promise<StatementResult> {
  const found = SHOWS[what];
  if (found !== undefined) return filterByName(await found(context), like);
  const key = settingKey(what);
  const setting = context.settings.get(key);
  if (setting !== undefined) return rowsResult('SHOW', [[shownName(key), TEXT]], [[setting]]);
  throw new StreamError('SQL_UNKNOWN_OBJECT', `unrecognized configuration parameter "${what}"`, {
    hint: `SHOW takes ${Object.keys(SHOWS).join(', ')}, or the name of a setting.`,
  });
}

/** LIKE of SHOW applies to the first column. */
function filterByName(result: StatementResult, like: string | undefined): StatementResult {
  if (like === undefined || result.kind !== 'rows') return result;
  const escaped = like.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`, 's');
  const { chunks } = result;
  return {
    ...result,
    chunks: (async function* () {
      for await (const rows of chunks) yield rows.filter((row) => pattern.test(String(row[0])));
    })(),
  };
}

async function showViews({ catalog, engine }: ShowContext): Promise<StatementResult> {
  const rows = catalog
    .relations()
    .filter((relation) => relation.kind === 'materialized-view' || relation.kind === 'view')
    .map((relation) => {
      const status = engine.taskStatus(relation.id);
      return [
        relation.name,
        relation.kind === 'view' ? 'view' : 'materialized view',
        relation.kind === 'view' ? null : (status?.state ?? 'paused'),
        status?.progress ?? null,
        status === undefined ? null : BigInt(status.version),
        status === undefined ? null : BigInt(status.rowsChanged),
        status === undefined ? null : BigInt(status.stateBytes),
        relation.kind === 'materialized-view' ? keyNames(relation) : null,
        countOf(relation.kind === 'view' ? undefined : relation.stateBytesMax),
        countOf(errorCounts({ catalog, engine }, relation.name)?.count),
        status?.reason ?? catalog.find(relation.name)?.detail.pausedReason ?? null,
      ];
    });
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['kind', TEXT],
      ['state', TEXT],
      ['progress', DOUBLE],
      ['version', BIGINT],
      ['rows_changed', BIGINT],
      ['state_bytes', BIGINT],
      ['key', TEXT],
      ['max_state', BIGINT],
      ['errors', BIGINT],
      ['reason', TEXT],
    ],
    rows,
  );
}

function countOf(count: number | undefined): bigint | null {
  return count === undefined ? null : BigInt(count);
}

async function showTopics({ logs }: ShowContext): Promise<StatementResult> {
  const rows: (Datum | null)[][] = [];
  for (const log of logs) {
    for (const topic of await log.list()) {
      rows.push([topic.name, log.type, topic.partitions, topic.replication]);
    }
  }
  rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['log', TEXT],
      ['partitions', INTEGER],
      ['replication', INTEGER],
    ],
    rows,
  );
}

/** name, kind, arguments, result, description. Operators and casts are in the docs only. */
function builtInFunctions(name: string): readonly (Datum | null)[][] {
  if (!/^[a-z_]/.test(name) || name === 'cast') return [];
  return [
    ...registry.scalars(name).map((scalar) => {
      const args = scalar.parameters.map(typeName).join(', ') + (scalar.variadic ? ', …' : '');
      return [name, 'scalar', args, typeName(scalar.result), scalar.description];
    }),
    ...registry.aggregates(name).map((aggregate) => {
      const args = aggregate.parameters.map(typeName).join(', ');
      return [name, 'aggregate', args, typeName(aggregate.result), aggregate.description];
    }),
    ...polymorphicSignatures
      .filter((signature) => signature.name === name)
      .map(({ kind, parameters, result, description }) => [
        name,
        kind,
        parameters,
        result,
        description,
      ]),
  ];
}

async function showFunctions({ catalog }: ShowContext): Promise<StatementResult> {
  const rows = registry.names().flatMap(builtInFunctions);
  for (const { name, parameters, result, body, language } of catalog.routines.all()) {
    const args = parameters.map(({ type }) => typeName(type)).join(', ');
    const kind = {
      call: 'scalar',
      expression: 'scalar',
      rows: 'table',
      set: 'table',
      aggregate: 'aggregate',
    } as const;
    const description = `user-defined${body.kind === 'aggregate' ? '' : `, LANGUAGE ${language}`}`;
    rows.push([name, kind[body.kind], args, typeName(result), description]);
  }
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['kind', TEXT],
      ['arguments', TEXT],
      ['result', TEXT],
      ['description', TEXT],
    ],
    rows,
  );
}

async function showQueries({ catalog, engine }: ShowContext): Promise<StatementResult> {
  const rows = catalog
    .relations()
    .filter((relation) => engine.taskStatus(relation.id) !== undefined && relation.sql !== '')
    .map((relation) => [
      relation.name,
      relation.kind,
      engine.taskStatus(relation.id)?.state ?? 'paused',
      maskSecrets(relation.sql),
    ]);
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['kind', TEXT],
      ['state', TEXT],
      ['sql', TEXT],
    ],
    rows,
  );
}

function showNames(names: readonly string[]): StatementResult {
  return rowsResult(
    'SHOW',
    [['name', TEXT]],
    names.map((name) => [name]),
  );
}

async function showSettings({ settings }: ShowContext): Promise<StatementResult> {
  return rowsResult(
    'SHOW',
    [
      ['name', TEXT],
      ['setting', TEXT],
    ],
    [...settings].map(([key, value]) => [shownName(key), value]),
  );
}

function keyNames(relation: MaterializedView): string | null {
  return relation.key.map((index) => relation.schema[index]?.name).join(', ') || null;
}

/** DESCRIBE name: one row a column; EXTENDED adds a `properties` row set as name and value columns. */
export function describe(
  context: ShowContext,
  relation: Relation,
  extended: boolean,
): StatementResult {
  if (extended) return describeExtended(context, relation);
  const key = keyOf(relation);
  const rows = relation.schema.map((column, i) => [
    column.name,
    typeName(column.type),
    column.nullable,
    key.includes(i),
    columnSource(relation, i),
  ]);
  return rowsResult(
    'DESCRIBE',
    [
      ['column', TEXT],
      ['type', TEXT],
      ['nullable', BOOLEAN],
      ['key', BOOLEAN],
      ['from', TEXT],
    ],
    rows,
  );
}

function keyOf(relation: Relation): readonly number[] {
  switch (relation.kind) {
    case 'stream':
    case 'table':
      return relation.primaryKey;
    case 'view':
      return [];
    default:
      return relation.key;
  }
}

function columnSource(relation: Relation, index: number): string | null {
  if (relation.kind !== 'stream' && relation.kind !== 'table') return null;
  const from = relation.columns[index]?.from;
  if (relation.input === undefined || from === undefined) return null;
  switch (from.kind) {
    case 'value':
      return `value.${from.field}`;
    case 'key':
      return from.field === undefined ? 'key' : `key.${from.field}`;
    case 'header':
      return from.header === undefined ? 'headers' : `header ${from.header}`;
    case 'metadata':
      return from.item;
    case 'generated':
      return 'generated';
  }
}

function describeExtended(context: ShowContext, relation: Relation): StatementResult {
  const { engine } = context;
  const rows: [string, string][] = [
    ['name', relation.name],
    ['kind', relation.kind],
    ['reads', relation.dependsOn.join(', ')],
    ['sql', maskSecrets(relation.sql)],
  ];
  const status = engine.taskStatus(relation.id);
  if (status !== undefined) {
    rows.push(
      ['state', status.state],
      ['version', String(status.version)],
      ['rows in', String(status.rowsIn)],
      ['rows changed', String(status.rowsChanged)],
      ['state bytes', String(status.stateBytes)],
    );
    if (status.reason !== undefined) rows.push(['reason', status.reason]);
  }
  if (relation.kind === 'materialized-view') {
    rows.push(['key', keyNames(relation) ?? 'none: rows are a bag']);
    rows.push(['append only', String(relation.appendOnly)]);
  }
  if (relation.kind === 'sink') rows.push(...sinkProperties(context, relation));
  if (relation.kind === 'stream' || relation.kind === 'table') {
    for (const [key, value] of relation.input?.options ?? []) rows.push([key, value]);
  }
  return rowsResult(
    'DESCRIBE',
    [
      ['property', TEXT],
      ['value', TEXT],
    ],
    rows,
  );
}
