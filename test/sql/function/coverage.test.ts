/** Every function and operator of PostgreSQL's catalog over types that there are is there, or listed with why not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isRecordFunction } from '../../../sql/bind-record-function.ts';
import { isSessionFunction } from '../../../sql/bind-session.ts';
import { isTableFunction } from '../../../sql/bind-table-function.ts';
import { isRankingName } from '../../../sql/bind-window.ts';
import {
  absenceReason,
  absentFunctions,
  absentOperators,
} from '../../../sql/function/absent-function.ts';
import { registry } from '../../../sql/function/builtin.ts';
import { type Judge, openJudge } from './judge.ts';

let judge: Judge;
before(async () => {
  judge = await openJudge();
});
after(() => judge.close());

/** Names that the manual does not list: other spellings and steps of casts, aggregates and indexes. */
const internal = new Set([
  ...['dexp', 'dlog1', 'dlog10', 'dround', 'dtrunc', 'enum_send', 'int4inc', 'int8_sum'],
  ...['numeric_div_trunc', 'numeric_exp', 'numeric_inc', 'numeric_ln', 'numeric_log'],
  ...['numeric_sqrt', 'textlen', 'cash_words', 'macaddr8_set7bit'],
]);
/** Constructs of the binder: pg_typeof(x) becomes a literal. */
const constructs = new Set(['pg_typeof', 'timestamp']);

const isThere = (name: string): boolean =>
  registry.names().includes(name) ||
  isTableFunction(name) ||
  isRecordFunction(name) ||
  isSessionFunction(name) ||
  isRankingName(name) ||
  constructs.has(name);

/** Of geometry, network addresses, XML, text search, and what only PostgreSQL's own machinery has. */
const foreignTypes = `(
  'internal', 'cstring', 'xml', '_xml', 'tsvector', 'tsquery', '_tsvector', '_tsquery', 'pg_lsn', 'xid', 'xid8', 'cid', 'tid', 'oidvector',
  'int2vector', 'regproc', 'regprocedure', 'regoper', 'regoperator', 'regclass', 'regtype', 'regconfig', 'regdictionary', 'regrole',
  'regnamespace', 'regcollation', 'oid', '_oid', 'aclitem', '_aclitem', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler',
  'index_am_handler', 'table_am_handler', 'tsm_handler', 'pg_snapshot', 'txid_snapshot', 'refcursor', 'char', '_char', 'void', 'gtsvector',
  'pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'pg_ddl_command',
  'money')`;

const functionQuery = `
  select distinct proname as name from pg_proc p
  where pronamespace = 'pg_catalog'::regnamespace
    and proname !~ '^(pg_|has_|lo_|txid_|binary_upgrade|ts_|brin_|gin_|gist_|loread|lowrite|xml_)'
    and not exists (
      select 1 from unnest(coalesce(proallargtypes, proargtypes::oid[]) || prorettype) as t join pg_type y on y.oid = t
      where y.typcategory in ('G', 'I') or y.typname in ${foreignTypes})
    and not exists (select 1 from pg_operator o where p.oid in (o.oprcode, o.oprrest, o.oprjoin))
    and not exists (select 1 from pg_cast c where c.castfunc = p.oid)
    and not exists (select 1 from pg_aggregate a where p.oid in (
      a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
    and not exists (select 1 from pg_type a where p.oid in (
      a.typinput, a.typoutput, a.typreceive, a.typsend, a.typmodin, a.typmodout, a.typanalyze))
    and not exists (select 1 from pg_amproc a where a.amproc = p.oid)
    and not exists (select 1 from pg_range a where p.oid in (a.rngcanonical, a.rngsubdiff))
  order by 1`;

const operatorQuery = `
  select distinct oprname as name from pg_operator
  where not exists (
    select 1 from unnest(array[oprleft, oprright]) as t join pg_type y on y.oid = t
    where y.typcategory in ('G', 'I') or y.typname in ${foreignTypes}
      or y.typname in ('name', 'bit', 'varbit', 'timetz', 'anymultirange'))
  order by 1`;

async function namesOf(query: string): Promise<readonly string[]> {
  return (await judge.query(query)).map((row) => String(row.name));
}

test("every function of PostgreSQL's is there, or listed with why not", async () => {
  const names = await namesOf(functionQuery);
  assert.ok(names.length > 300, `${names.length} functions`);
  const silent = names.filter(
    (name) => !isThere(name) && !internal.has(name) && absenceReason(name) === undefined,
  );
  assert.deepEqual(silent, []);
});

test("every operator of PostgreSQL's is there, or listed with why not", async () => {
  const absent = absentOperators.flatMap(({ names }) => names);
  const names = await namesOf(operatorQuery);
  assert.ok(names.length > 50, `${names.length} operators`);
  const silent = names.filter((name) => !registry.names().includes(name) && !absent.includes(name));
  assert.deepEqual(silent, []);
  assert.deepEqual(
    absent.filter((name) => !names.includes(name)),
    [],
  );
});

test('what is listed as absent is neither there nor unknown to PostgreSQL', async () => {
  const known = new Set(await namesOf('select distinct proname as name from pg_proc'));
  const absent = absentFunctions.flatMap(({ names }) => names);
  assert.deepEqual(
    absent.filter((name) => !known.has(name)),
    [],
  );
  assert.deepEqual(absent.filter(isThere), []);
});
