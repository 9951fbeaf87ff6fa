/**
 * PostgreSQL 18's keywords by class (`pg_get_keywords()`). The class decides where a word may still
 * be a name, which is why a column may be called `value`, `timestamp` or `key` but not `user`.
 * The words of the streaming clauses (STREAM, EMIT, TUMBLE, …) are deliberately absent: they are
 * ordinary identifiers that the grammar recognises in place, so no existing query breaks on them.
 */

/**
 * - `unreserved`: may name anything.
 * - `column`: may name a column or table, not a function or type (they have syntax of their own).
 * - `function`: may name a function or type, not a column or table.
 * - `reserved`: only a label after AS, or a part of a name after a dot.
 */
export type KeywordClass = 'unreserved' | 'column' | 'function' | 'reserved';

const unreserved = `
  abort absent absolute access action add admin after aggregate also alter always asensitive
  assertion assignment at atomic attach attribute backward before begin breadth by cache call
  called cascade cascaded catalog chain characteristics checkpoint class close cluster columns
  comment comments commit committed compression conditional configuration conflict connection
  constraints content continue conversion copy cost csv cube current cursor cycle data
  database day deallocate declare defaults deferred definer delete delimiter delimiters
  depends depth detach dictionary disable discard document domain double drop each empty
  enable encoding encrypted enforced enum error escape event exclude excluding exclusive
  execute explain expression extension external family filter finalize first following force
  format forward function functions generated global granted groups handler header hold hour
  identity if immediate immutable implicit import include including increment indent index
  indexes inherit inherits inline input insensitive insert instead invoker isolation keep key
  keys label language large last leakproof level listen load local location lock locked logged
  mapping match matched materialized maxvalue merge method minute minvalue mode month move
  name names nested new next nfc nfd nfkc nfkd no normalized nothing notify nowait nulls
  object objects of off oids old omit operator option options ordinality others over
  overriding owned owner parallel parameter parser partial partition passing password path
  period plan plans policy preceding prepare prepared preserve prior privileges procedural
  procedure procedures program publication quote quotes range read reassign recursive ref
  referencing refresh reindex relative release rename repeatable replace replica reset restart
  restrict return returns revoke role rollback rollup routine routines rows rule savepoint
  scalar schema schemas scroll search second security sequence sequences serializable server
  session set sets share show simple skip snapshot source sql stable standalone start
  statement statistics stdin stdout storage stored strict string strip subscription support
  sysid system tables tablespace target temp template temporary text ties transaction
  transform trigger truncate trusted type types uescape unbounded uncommitted unconditional
  unencrypted unknown unlisten unlogged until update vacuum valid validate validator value
  varying version view views virtual volatile whitespace within without work wrapper write xml
  year yes zone
`;

const column = `
  between bigint bit boolean char character coalesce dec decimal exists extract float greatest
  grouping inout int integer interval json json_array json_arrayagg json_exists json_object
  json_objectagg json_query json_scalar json_serialize json_table json_value least
  merge_action national nchar none normalize nullif numeric out overlay position precision
  real row setof smallint substring time timestamp treat trim values varchar xmlattributes
  xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize
  xmltable
`;

const functionOrType = `
  authorization binary collation concurrently cross current_schema freeze full ilike inner is
  isnull join left like natural notnull outer overlaps right similar tablesample verbose
`;

const reserved = `
  all analyse analyze and any array as asc asymmetric both case cast check collate column
  constraint create current_catalog current_date current_role current_time current_timestamp
  current_user default deferrable desc distinct do else end except false fetch for foreign
  from grant group having in initially intersect into lateral leading limit localtime
  localtimestamp not null offset on only or order placing primary references returning select
  session_user some symmetric system_user table then to trailing true union unique user using
  variadic when where window with
`;

/** Keywords that need AS before them when they label a select item. */
const needsAs = `
  array as char character create day except fetch filter for from grant group having hour
  intersect into isnull limit minute month notnull offset on order over overlaps precision
  returning second to union varying where window with within without year
`;

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export interface Keyword {
  readonly word: string;
  readonly class: KeywordClass;
}

const classed = (text: string, keywordClass: KeywordClass): (readonly [string, Keyword])[] =>
  words(text).map((word) => [word, { word, class: keywordClass }] as const);

/** Every keyword by its lower-case spelling. */
export const keywords: ReadonlyMap<string, Keyword> = new Map([
  ...classed(unreserved, 'unreserved'),
  ...classed(column, 'column'),
  ...classed(functionOrType, 'function'),
  ...classed(reserved, 'reserved'),
]);

const labelsNeedingAs: ReadonlySet<string> = new Set(words(needsAs));

/** Whether `select x WORD` reads WORD as the label; every word that is no keyword does. */
export function isBareLabel(word: string): boolean {
  return !labelsNeedingAs.has(word);
}
