/**
 * Overload resolution, as PostgreSQL's func_select_candidate does it (manual, sections 10.2 and
 * 10.3): exact matches, preferred types, then what untyped literals may be.
 */
import type { SqlType } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { canCoerce } from './coerce.ts';
import { categoryOf, isPreferred, sameBaseType, type TypeCategory } from './type-category.ts';

/** The part of a function's definition that resolution looks at. */
export interface Overload {
  readonly parameters: readonly SqlType[];
  readonly variadic?: boolean | undefined;
}

export type Resolution<Candidate> =
  | { readonly kind: 'found'; readonly candidate: Candidate }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous' };

/** An overload with a variadic parameter repeated as often as the call needs it. */
interface Expanded<Candidate> {
  readonly candidate: Candidate;
  readonly parameters: readonly SqlType[];
  readonly repeated: boolean;
}

/** The parameter types of one overload for a call with `count` arguments; undefined when they do not fit. */
export function parametersFor(overload: Overload, count: number): readonly SqlType[] | undefined {
  const { parameters } = overload;
  const last = parameters.at(-1);
  if (overload.variadic !== true || last === undefined) {
    return parameters.length === count ? parameters : undefined;
  }
  if (count < parameters.length) return undefined;
  return Array.from({ length: count }, (_, index) => parameters[index] ?? last);
}

/** Chooses among the overloads of one name. */
export function resolveOverload<Candidate extends Overload>(
  candidates: readonly Candidate[],
  types: readonly SqlType[],
  context: BindContext,
): Resolution<Candidate> {
  const fitting = candidates.flatMap((candidate): Expanded<Candidate>[] => {
    const parameters = parametersFor(candidate, types.length);
    return parameters === undefined
      ? []
      : [{ candidate, parameters, repeated: candidate.variadic === true }];
  });
  const exact = fitting.filter(({ parameters }) => parameters.every((p, i) => same(p, types[i])));
  const best = exact.find(({ repeated }) => !repeated) ?? exact[0];
  if (best !== undefined) return { kind: 'found', candidate: best.candidate };
  const possible = fitting.filter(({ parameters }) =>
    parameters.every((parameter, index) => accepts(parameter, types[index], context)),
  );
  return select(possible, types, context);
}

const same = (parameter: SqlType, type: SqlType | undefined): boolean =>
  type !== undefined && type.kind !== 'unknown' && sameBaseType(parameter, type);

const accepts = (parameter: SqlType, type: SqlType | undefined, context: BindContext): boolean =>
  type !== undefined && canCoerce(type, parameter, 'implicit', context);

function select<Candidate>(
  possible: readonly Expanded<Candidate>[],
  types: readonly SqlType[],
  context: BindContext,
): Resolution<Candidate> {
  if (possible.length === 0) return { kind: 'none' };
  let left = mostMatches(possible, (parameter, index) => same(parameter, types[index]));
  if (left.length > 1) {
    left = mostMatches(left, (parameter, index) => {
      const type = types[index];
      if (type === undefined || type.kind === 'unknown') return false;
      const preferred = isPreferred(parameter) && categoryOf(parameter) === categoryOf(type);
      return same(parameter, type) || preferred;
    });
  }
  if (left.length > 1 && types.some((type) => type.kind === 'unknown')) {
    left = byUnknownCategories(left, types);
    if (left.length > 1) left = asKnownType(left, types, context);
  }
  const [only] = left;
  if (only === undefined || left.length > 1) {
    const fixed = left.filter(({ repeated }) => !repeated);
    const [fixedOnly] = fixed;
    if (fixedOnly !== undefined && fixed.length === 1) {
      return { kind: 'found', candidate: fixedOnly.candidate };
    }
    return { kind: 'ambiguous' };
  }
  return { kind: 'found', candidate: only.candidate };
}

/** Those with the most arguments for which `matches` holds. */
function mostMatches<Candidate>(
  candidates: readonly Expanded<Candidate>[],
  matches: (parameter: SqlType, index: number) => boolean,
): readonly Expanded<Candidate>[] {
  const counts = candidates.map(({ parameters }) => parameters.filter(matches).length);
  const most = Math.max(...counts);
  return candidates.filter((_, index) => counts[index] === most);
}

/**
 * For each untyped argument: the string category if any candidate takes it there, else the one category
 * that all agree on; candidates of other categories go, and non-preferred ones where a preferred exists.
 */
function byUnknownCategories<Candidate>(
  candidates: readonly Expanded<Candidate>[],
  types: readonly SqlType[],
): readonly Expanded<Candidate>[] {
  const wanted = new Map<number, { category: TypeCategory; preferred: boolean }>();
  for (const [index, type] of types.entries()) {
    if (type.kind !== 'unknown') continue;
    const parameters = candidates.flatMap(({ parameters: all }) => all[index] ?? []);
    const found = new Set(parameters.map(categoryOf));
    const [first] = found;
    const category = found.has('string') ? 'string' : found.size === 1 ? first : undefined;
    // One slot without an answer: PostgreSQL gives up on categories altogether.
    if (category === undefined) return candidates;
    const preferred = parameters.some((p) => categoryOf(p) === category && isPreferred(p));
    wanted.set(index, { category, preferred });
  }
  const kept = candidates.filter(({ parameters }) =>
    [...wanted].every(([index, { category, preferred }]) => {
      const parameter = parameters[index];
      if (parameter === undefined || categoryOf(parameter) !== category) return false;
      return !preferred || isPreferred(parameter);
    }),
  );
  return kept.length > 0 ? kept : candidates;
}

/** If all typed arguments have one type, untyped ones are assumed to have it too. */
function asKnownType<Candidate>(
  candidates: readonly Expanded<Candidate>[],
  types: readonly SqlType[],
  context: BindContext,
): readonly Expanded<Candidate>[] {
  const known = types.filter((type) => type.kind !== 'unknown');
  const [first] = known;
  if (first === undefined || !known.every((type) => sameBaseType(type, first))) return candidates;
  const kept = candidates.filter(({ parameters }) =>
    parameters.every((parameter) => accepts(parameter, first, context)),
  );
  return kept.length === 1 ? kept : candidates;
}

/**
 * The same for an operator: first, an untyped operand is taken to have the other one's type.
 */
export function resolveOperator<Candidate extends Overload>(
  candidates: readonly Candidate[],
  types: readonly SqlType[],
  context: BindContext,
): Resolution<Candidate> {
  const [left, right] = types;
  if (left !== undefined && right !== undefined) {
    const assumed =
      left.kind === 'unknown' ? [right, right] : right.kind === 'unknown' ? [left, left] : types;
    const exact = candidates.find(
      ({ parameters }) =>
        parameters.length === 2 && parameters.every((p, index) => same(p, assumed[index])),
    );
    if (exact !== undefined) return { kind: 'found', candidate: exact };
  }
  return resolveOverload(candidates, types, context);
}
