/**
 * Makes a failing case small: fewer views, statements and tables, then a shorter query. The query is reduced along its own tree
 * (hierarchical delta debugging; Misherghi and Su, ICSE 2006): a node is left out, or becomes a node inside of it or a constant, as long as
 * PostgreSQL still answers and the case still fails.
 */
import { parseStatement } from '../../sql/parser.ts';
import type { FuzzCase, Step } from './play.ts';
import { createTable } from './schema.ts';

/** Whether a case still fails in the way that is looked at. */
export type StillFails = (candidate: FuzzCase) => Promise<boolean>;

export interface ShrinkLimits {
  /** Candidates to try. */
  readonly triesMax: number;
}

export async function shrink(
  whole: FuzzCase,
  view: string,
  fails: StillFails,
  { triesMax }: ShrinkLimits,
): Promise<FuzzCase> {
  let tries = 0;
  const works = async (candidate: FuzzCase): Promise<boolean> =>
    tries++ < triesMax && (await fails(candidate));
  let best = needed(whole, view);
  if (!(await fails(best))) return whole;
  for (let before = ''; before !== script(best) && tries < triesMax; ) {
    before = script(best);
    best = await fewerSteps(best, view, works);
    best = await shorterQueries(best, works);
  }
  return needed(best, view);
}

/** Only what the view reads, and what that reads. */
function needed({ tables, steps }: FuzzCase, view: string): FuzzCase {
  const names = new Set([view]);
  let text = '';
  for (const step of steps.toReversed()) {
    if (step.kind === 'view' && names.has(step.name)) {
      text += ` ${step.query}`;
      for (const name of step.query.match(/\bview\d+\b/g) ?? []) names.add(name);
    }
  }
  const read = tables.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(text));
  const kept = steps.flatMap((step): Step[] => {
    if (step.kind === 'view') return names.has(step.name) ? [step] : [];
    const statements = step.statements.filter((sql) =>
      read.some(({ name }) => new RegExp(`\\b${name}\\b`).test(sql)),
    );
    return statements.length === 0 ? [] : [{ ...step, statements }];
  });
  return { tables: read, steps: kept };
}

async function fewerSteps(best: FuzzCase, view: string, fails: StillFails): Promise<FuzzCase> {
  let current = best;
  for (let size = Math.ceil(current.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = current.steps.length - size; at >= 0; at -= size) {
      const removed = current.steps.slice(at, at + size);
      if (removed.some((step) => step.kind === 'view' && step.name === view)) continue;
      const steps = [...current.steps.slice(0, at), ...current.steps.slice(at + size)];
      if (await fails({ ...current, steps })) current = { ...current, steps };
    }
  }
  return fewerRows(current, fails);
}

/** Rows of INSERTs that are not needed, and statements of commits with several. */
async function fewerRows(best: FuzzCase, fails: StillFails): Promise<FuzzCase> {
  let current = best;
  for (let index = current.steps.length - 1; index >= 0; index--) {
    for (let next = 0; ; next++) {
      const step = current.steps[index] as Step;
      if (step.kind === 'view') break;
      const statements = smaller(step.statements)[next];
      if (statements === undefined) break;
      const steps = current.steps.with(index, { kind: 'commit', statements });
      if (await fails({ ...current, steps })) {
        current = { ...current, steps };
        next = -1;
      }
    }
  }
  return current;
}

function smaller(statements: readonly string[]): readonly (readonly string[])[] {
  const fewer = statements.length > 1 ? statements.map((_, i) => statements.toSpliced(i, 1)) : [];
  const shorter = statements.flatMap((sql, i) => {
    const match = /^(INSERT INTO \w+ VALUES )(.*?)( ON CONFLICT DO NOTHING)?$/.exec(sql);
    const rows = match?.[2]?.split(/(?<=\)), (?=\()/) ?? [];
    if (rows.length < 2) return [];
    return rows.map((_, row) =>
      statements.with(i, `${match?.[1]}${rows.toSpliced(row, 1).join(', ')}${match?.[3] ?? ''}`),
    );
  });
  return [...fewer, ...shorter];
}

async function shorterQueries(best: FuzzCase, fails: StillFails): Promise<FuzzCase> {
  let current = best;
  for (let index = current.steps.length - 1; index >= 0; index--) {
    const tried = new Set<string>();
    for (let again = true; again; ) {
      again = false;
      const step = current.steps[index] as Step;
      if (step.kind !== 'view') break;
      for (const query of shorter(step.query)) {
        if (tried.has(query)) continue;
        tried.add(query);
        const candidate = { ...current, steps: current.steps.with(index, { ...step, query }) };
        if (!(await fails(candidate))) continue;
        current = candidate;
        again = true;
        break;
      }
    }
  }
  return current;
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly inside: readonly Place[];
}

const CONSTANTS: readonly string[] = ['NULL', '1', 'true', "'a'"];

/** Shorter texts, the shortest first. */
function shorter(query: string): readonly string[] {
  const found = new Set<string>();
  const replace = (start: number, end: number, by: string): void => {
    found.add(`${query.slice(0, start)}${by}${query.slice(end)}`.trim());
  };
  const visit = (place: Place): void => {
    const { start, end } = place;
    for (const inner of descendants(place, 3))
      replace(start, end, query.slice(inner.start, inner.end));
    for (const constant of CONSTANTS)
      if (constant.length < end - start) replace(start, end, constant);
    for (const [from, to] of withSeparators(query, start, end)) replace(from, to, '');
    for (const inner of place.inside) visit(inner);
  };
  for (const place of places(query)) visit(place);
  for (const [from, to] of words(query)) replace(from, to, '');
  found.delete(query);
  return [...found]
    .filter((text) => text.length < query.length)
    .sort((a, b) => a.length - b.length);
}

function* descendants(place: Place, depth: number): Iterable<Place> {
  if (depth === 0) return;
  for (const inner of place.inside) {
    yield inner;
    yield* descendants(inner, depth - 1);
  }
}

/** The spans of the query's tree, each with those inside of it. */
function places(query: string): readonly Place[] {
  let tree: unknown;
  try {
    tree = parseStatement(query);
  } catch {
    return [];
  }
  return collect(tree);
}

function collect(node: unknown): Place[] {
  if (node === null || typeof node !== 'object') return [];
  const inside = (
    Array.isArray(node)
      ? node
      : Object.entries(node)
          .filter(([key]) => key !== 'span')
          .map(([, value]) => value)
  ).flatMap(collect);
  const span = (node as { readonly span?: { readonly start: number; readonly end: number } }).span;
  if (span === undefined || span.end <= span.start) return inside;
  return [{ start: span.start, end: span.end, inside }];
}

/** A node with what stands before or after it: a comma, AND, or the word of its clause. */
function withSeparators(
  query: string,
  start: number,
  end: number,
): readonly (readonly [number, number])[] {
  const before = query.slice(0, start);
  const after = query.slice(end);
  const cuts: (readonly [number, number])[] = [];
  const lead =
    /(,|\bAND|\bOR|\bWHERE|\bHAVING|\bGROUP BY|\bORDER BY|\bLIMIT|\bOFFSET|\bPARTITION BY|\bON|::)\s*\(?$/i.exec(
      before,
    );
  const name = /^( AS \w+(\([^()]*\))?)?/.exec(after)?.[0] ?? '';
  if (lead !== null) cuts.push([lead.index, end + name.length]);
  const trail = /^( AS \w+(\([^()]*\))?)?\s*(,|AND\b|OR\b)\s*/.exec(after);
  if (trail !== null) cuts.push([start, end + trail[0].length]);
  const join = /(,|(NATURAL )?(\w+ )?JOIN( LATERAL)?)\s*$/.exec(before);
  if (join !== null) cuts.push([join.index, end + name.length]);
  if (join !== null) {
    const on = /^( AS \w+(\([^()]*\))?)? ON true/.exec(after);
    if (on !== null) cuts.push([join.index, end + on[0].length]);
  }
  return cuts;
}

/** Words that can go without anything else. */
function* words(query: string): Iterable<readonly [number, number]> {
  const optional =
    /DISTINCT |DISTINCT ON \([^()]*\) | ALL\b| DESC\b| NULLS (FIRST|LAST)| FILTER \(WHERE [^()]*\)| (ROWS|RANGE|GROUPS) BETWEEN [A-Z0-9 ]+(?=\))| EXCLUDE [A-Z ]+(?=\))| WITH ORDINALITY| LATERAL\b|LEFT |FULL |RIGHT |NATURAL |NOT |::\w+|\(SELECT \w+\.\* FROM | LIMIT \d+| OFFSET \d+|WITH (RECURSIVE )?\w+(\([^()]*\))? AS /g;
  for (const match of query.matchAll(optional)) yield [match.index, match.index + match[0].length];
}

/** The case as SQL. */
export function script({ tables, steps }: FuzzCase): string {
  const lines = [
    ...tables.map((table) => createTable(table, false)),
    ...steps.flatMap((step) => {
      if (step.kind === 'view') return [`CREATE MATERIALIZED VIEW ${step.name} AS ${step.query}`];
      return step.statements.length === 1
        ? step.statements
        : ['BEGIN', ...step.statements, 'COMMIT'];
    }),
  ];
  return `${lines.join(';\n')};`;
}
