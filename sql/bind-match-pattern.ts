/** The pattern of MATCH_RECOGNIZE: its variables by number, SUBSETs, and where AFTER MATCH SKIP goes. */
import type { Identifier, MatchRecognize, RowPattern } from './ast.ts';
import { assertNever } from './base/assert.ts';
import { StreamError } from './base/error.ts';
import type { BoundPattern, MatchSkip } from './row-pattern.ts';

/** What a name in front of a column means: the numbers of its variables. */
export interface PatternVariables {
  /** Of the pattern, in the order in which they stand there. */
  readonly primary: readonly string[];
  /** Primary ones and SUBSETs by name. */
  readonly byName: ReadonlyMap<string, readonly number[]>;
}

/** @throws StreamError SQL_DUPLICATE_ALIAS for a SUBSET with the name of another one; SQL_UNKNOWN_COLUMN for unknown variables. */
export function patternVariables(item: MatchRecognize): PatternVariables {
  const primary: string[] = [];
  visitVariables(item.pattern, (name) => {
    if (!primary.includes(name)) primary.push(name);
  });
  const byName = new Map<string, readonly number[]>(
    primary.map((name, variable) => [name, [variable]]),
  );
  for (const { name, variables } of item.subsets) {
    if (byName.has(name.name)) {
      throw new StreamError(
        'SQL_DUPLICATE_ALIAS',
        `pattern variable "${name.name}" specified more than once`,
        { at: name.span },
      );
    }
    const members = variables.map((variable) => primaryOf(variable, primary));
    byName.set(
      name.name,
      [...new Set(members)].sort((a, b) => a - b),
    );
  }
  return { primary, byName };
}

function visitVariables(pattern: RowPattern, see: (name: string) => void): void {
  if (pattern.kind === 'variable') see(pattern.name.name);
  else if ('items' in pattern) for (const item of pattern.items) visitVariables(item, see);
  else if ('pattern' in pattern) visitVariables(pattern.pattern, see);
}

/** The number of a variable of the pattern. @throws StreamError SQL_UNKNOWN_COLUMN. */
export function primaryOf(name: Identifier, primary: readonly string[]): number {
  const found = primary.indexOf(name.name);
  if (found >= 0) return found;
  throw new StreamError(
    'SQL_UNKNOWN_COLUMN',
    `pattern variable "${name.name}" is not in the pattern`,
    { at: name.span, hint: `The pattern has ${primary.map((each) => `"${each}"`).join(', ')}.` },
  );
}

export function bindPattern(pattern: RowPattern, primary: readonly string[]): BoundPattern {
  const bind = (part: RowPattern): BoundPattern => bindPattern(part, primary);
  switch (pattern.kind) {
    case 'variable':
      return { kind: 'variable', variable: primaryOf(pattern.name, primary) };
    case 'sequence':
    case 'alternation':
    case 'permute':
      return { kind: pattern.kind, items: pattern.items.map(bind) };
    case 'empty':
    case 'start':
    case 'end':
      return pattern;
    case 'exclusion':
      return { kind: 'exclusion', pattern: bind(pattern.pattern) };
    case 'quantified': {
      const { min, max, reluctant } = pattern;
      return { kind: 'quantified', pattern: bind(pattern.pattern), min, max, reluctant };
    }
    default:
      return assertNever(pattern);
  }
}

/** @throws StreamError SQL_UNKNOWN_COLUMN for a skip to an unknown variable. */
export function bindSkip({ skip }: MatchRecognize, variables: PatternVariables): MatchSkip {
  if (!('variable' in skip)) return skip;
  const { name } = skip.variable;
  const found = variables.byName.get(name);
  if (found !== undefined) return { kind: skip.kind, variable: name, variables: found };
  const number = primaryOf(skip.variable, variables.primary);
  return { kind: skip.kind, variable: name, variables: [number] };
}

/** @throws StreamError SQL_SYNTAX for a quantifier that nothing can meet. */
export function checkQuantifiers(pattern: BoundPattern, item: MatchRecognize): void {
  if ('items' in pattern) for (const part of pattern.items) checkQuantifiers(part, item);
  if ('pattern' in pattern) checkQuantifiers(pattern.pattern, item);
  if (pattern.kind !== 'quantified' || pattern.max === undefined) return;
  if (pattern.max >= Math.max(1, pattern.min)) return;
  throw new StreamError(
    'SQL_SYNTAX',
    `the quantifier {${pattern.min},${pattern.max}} can be met by nothing`,
    { at: item.span, hint: 'Its upper bound is at least 1 and not below the lower one.' },
  );
}
