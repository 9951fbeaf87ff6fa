/**
 * Tables of stored relations and the SQL that moves staged changes into them. No primary keys: indexed tables keep
 * the space of deleted rows for ever. No `INSERT OR REPLACE`: prepared over an empty staging table it writes garbage.
 * Names hold only ids and column numbers.
 */
import { assertNever } from '../../sql/base/assert.ts';
import type { StoredRelation, TableRebuild } from './store.ts';
import { duckdbType, storedForm } from './stored-form.ts';

/** The count column of a bag's table and the weight column of every staging table. */
export const COUNT_COLUMN = 'n';

export function tableName(relationId: number): string {
  return `r${relationId}`;
}

export function stageName(relationId: number): string {
  return `s${relationId}`;
}

export function columnName(index: number): string {
  return `c${index}`;
}

function columnList(relation: StoredRelation, prefix = ''): string {
  return relation.schema.map((_, i) => prefix + columnName(i)).join(', ');
}

/** The column definitions of a relation's table, without a bag's count. */
function columnDefinitions(relation: StoredRelation): string[] {
  return relation.schema.map(
    (column, i) => `${columnName(i)} ${duckdbType(storedForm(column.type))}`,
  );
}

export function createTableSql(relation: StoredRelation): string {
  const columns = columnDefinitions(relation);
  if (relation.storage.kind === 'bag') columns.push(`${COUNT_COLUMN} BIGINT`);
  // A relation may have no column at all (SELECT FROM t); a table may not.
  if (columns.length === 0) columns.push('nothing BOOLEAN');
  return `CREATE TABLE ${tableName(relation.id)} (${columns.join(', ')})`;
}

/** Puts a table with other columns in the place of the old one. Rows of a bag that have become the same are counted together. */
export function rebuildTableSql(rebuild: TableRebuild): string {
  const { relation } = rebuild;
  const table = tableName(relation.id);
  if ('rows' in rebuild) return `DROP TABLE ${table};\n${createTableSql(relation)}`;
  const { columns, counted } = rebuild;
  const values = columns.map((column, i) => {
    const type = duckdbType(storedForm(relation.schema[i]?.type ?? { kind: 'text' }));
    const value = 'from' in column ? columnName(column.from) : `(${column.sql})`;
    return `CAST(${value} AS ${type}) AS ${columnName(i)}`;
  });
  if (relation.storage.kind !== 'bag') {
    return `CREATE OR REPLACE TABLE ${table} AS SELECT ${values.join(', ')} FROM ${table}`;
  }
  const names = relation.schema.map((_, i) => columnName(i));
  const groups = [...names, ...lookOf(relation, '')].join(', ');
  return (
    `CREATE OR REPLACE TABLE ${table} AS SELECT ${names.join(', ')}, CAST(sum(${COUNT_COLUMN}) AS BIGINT) AS ${COUNT_COLUMN} ` +
    `FROM (SELECT ${values.join(', ')}, ${counted ? COUNT_COLUMN : `1 AS ${COUNT_COLUMN}`} FROM ${table}) GROUP BY ${groups}`
  );
}

export function createStageSql(relation: StoredRelation): string {
  const columns = [...columnDefinitions(relation), `${COUNT_COLUMN} INTEGER`];
  return `CREATE OR REPLACE TEMP TABLE ${stageName(relation.id)} (${columns.join(', ')})`;
}

/** What was staged; statements that would find nothing to do are left out. */
export interface StagedRows {
  readonly inserted: boolean;
  readonly deleted: boolean;
  readonly weightMax: number;
}

/** Statements that apply the staged rows and empty the stage. */
export function applySql(
  relation: StoredRelation,
  staged: StagedRows,
  replace: boolean,
): readonly string[] {
  const statements: string[] = [];
  const table = tableName(relation.id);
  const stage = stageName(relation.id);
  if (replace) statements.push(`DELETE FROM ${table}`);
  if (!staged.inserted && !staged.deleted) return statements;
  const { storage } = relation;
  switch (storage.kind) {
    case 'append':
      statements.push(insertCopies(relation, staged));
      break;
    case 'keyed':
      if (staged.deleted && !replace) statements.push(deleteByKey(relation, storage.key));
      if (staged.inserted) statements.push(insertCopies(relation, staged));
      break;
    case 'bag':
      statements.push(mergeBag(relation));
      break;
    default:
      assertNever(storage);
  }
  statements.push(`TRUNCATE temp.${stage}`);
  return statements;
}

function insertCopies(relation: StoredRelation, staged: StagedRows): string {
  const table = tableName(relation.id);
  const from = `temp.${stageName(relation.id)} AS s`;
  if (relation.schema.length === 0) {
    return `INSERT INTO ${table} SELECT TRUE FROM ${from}, LATERAL (SELECT unnest(range(s.${COUNT_COLUMN}))) WHERE s.${COUNT_COLUMN} > 0`;
  }
  const columns = columnList(relation, 's.');
  const where = staged.deleted ? ` WHERE s.${COUNT_COLUMN} > 0` : '';
  if (staged.weightMax <= 1) return `INSERT INTO ${table} SELECT ${columns} FROM ${from}${where}`;
  return `INSERT INTO ${table} SELECT ${columns} FROM ${from}, LATERAL (SELECT unnest(range(s.${COUNT_COLUMN})))${where}`;
}

/** NULL keys are keys like others, so equality is IS NOT DISTINCT FROM where a key may be NULL. */
function sameColumn(relation: StoredRelation, index: number): string {
  const name = columnName(index);
  const operator = relation.schema[index]?.nullable === false ? '=' : 'IS NOT DISTINCT FROM';
  return `t.${name} ${operator} s.${name}`;
}

function deleteByKey(relation: StoredRelation, key: readonly number[]): string {
  const same = key.map((index) => sameColumn(relation, index));
  // An empty key: the relation has at most one row.
  const condition = [...same, `s.${COUNT_COLUMN} < 0`].join(' AND ');
  return `DELETE FROM ${tableName(relation.id)} AS t USING temp.${stageName(relation.id)} AS s WHERE ${condition}`;
}

/**
 * What tells values apart that are equal for DuckDB but not the same for a reader: -0 and 0, '1 mon' and '30 days'.
 * @param prefix  of the column's name.
 */
export function lookOf(relation: StoredRelation, prefix: string): string[] {
  return relation.schema.flatMap(({ type }, i) => {
    const name = prefix + columnName(i);
    if (type.kind === 'real' || type.kind === 'double') return [`signbit(${name})`];
    return type.kind === 'interval' ? [`CAST(${name} AS VARCHAR)`] : [];
  });
}

/** Sums the staged weights per distinct row and adds them to the counts; a count of zero is no row. */
function mergeBag(relation: StoredRelation): string {
  const table = tableName(relation.id);
  const stage = stageName(relation.id);
  const columns = columnList(relation);
  const count = COUNT_COLUMN;
  const groups = [...(columns === '' ? [] : [columns]), ...lookOf(relation, '')];
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`;
  const leading = columns === '' ? '' : `${columns}, `;
  const stagedLook = lookOf(relation, 's.');
  const same = [
    ...relation.schema.map((_, i) => `t.${columnName(i)} IS NOT DISTINCT FROM s.${columnName(i)}`),
    ...lookOf(relation, 't.').map((look, i) => `${look} IS NOT DISTINCT FROM ${stagedLook[i]}`),
  ];
  const on = same.length === 0 ? 'TRUE' : same.join(' AND ');
  const values = [...relation.schema.map((_, i) => `s.${columnName(i)}`), `s.${count}`].join(', ');
  return (
    `MERGE INTO ${table} AS t USING (SELECT ${leading}CAST(sum(${count}) AS BIGINT) AS ${count} ` +
    `FROM temp.${stage}${grouped} HAVING sum(${count}) <> 0) AS s ON ${on} ` +
    `WHEN MATCHED AND t.${count} + s.${count} = 0 THEN DELETE ` +
    `WHEN MATCHED THEN UPDATE SET ${count} = t.${count} + s.${count} ` +
    `WHEN NOT MATCHED THEN INSERT (${leading}${count}) VALUES (${values})`
  );
}
