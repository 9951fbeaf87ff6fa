/**
 * SQL/JSON paths over documents, after PostgreSQL's jsonpath_exec.c: lax paths go into arrays and over missing parts,
 * strict ones fail. Items are found one by one, so that whoever needs one only does not meet the failures behind it.
 */
import { assertNever } from './assert.ts';
import { StreamError } from './error.ts';
import type { JsonObject } from './json.ts';
import { isJsonArray, isJsonObject, type JsonValue, sortedEntries } from './json.ts';
import { compareItems } from './json-path-compare.ts';
import { keyValues, type PathBase } from './json-path-layout.ts';
import { decimalMethod, scalarMethod } from './json-path-method.ts';
import type {
  JsonPath,
  PathNode,
  PathPredicate,
  PathRange,
  PathStep,
  PathValue,
} from './json-path-syntax.ts';
import { isPredicate } from './json-path-syntax.ts';
import { Numeric } from './numeric.ts';

export type Items = Generator<JsonValue, void>;
/** Undefined = unknown. */
export type Truth = boolean | undefined;

/** What `@`, `last` and the checks of structure mean at one place of the path. */
interface Scope {
  readonly current: JsonValue;
  readonly arraySize: number;
  readonly lenient: boolean;
  /** Whether a failure ends the whole search, rather than make a predicate unknown or the result short. */
  readonly throws: boolean;
  /** Where the object numbers of keyvalue() count from. */
  readonly base: PathBase;
}

/** Failures that a predicate takes for unknown; others, a missing variable, are the caller's. */
export function isPathFailure(cause: unknown): cause is StreamError {
  return cause instanceof StreamError && cause.sqlstate.startsWith('22');
}

/** The object numbers below are those of the document and of the variables. */
const GENERATED_MIN = 2;

/** Steps taken by one search: repeated `**` would multiply them without end. */
const STEPS_MAX = 1_000_000;

class PathRun {
  readonly #lax: boolean;
  readonly #document: JsonValue;
  readonly #variables: JsonObject;
  #generated = GENERATED_MIN;
  #steps = 0;

  constructor(lax: boolean, document: JsonValue, variables: JsonObject) {
    this.#lax = lax;
    this.#document = document;
    this.#variables = variables;
  }

  items(root: PathNode, silent: boolean): Items {
    return this.#node(root, this.#outermost(silent));
  }

  exists(root: PathNode, silent: boolean): boolean {
    return this.#exists(root, this.#outermost(silent));
  }

  #outermost(silent: boolean): Scope {
    return {
      current: this.#document,
      arraySize: 0,
      lenient: this.#lax,
      throws: !silent,
      base: { id: 0, tree: this.#document },
    };
  }

  *#node(node: PathNode, scope: Scope): Items {
    if (isPredicate(node)) yield this.#truth(node, scope) ?? null;
    else yield* this.#value(node, scope);
  }

  *#value(node: PathValue, scope: Scope): Items {
    switch (node.kind) {
      case 'literal':
        return yield node.value;
      case 'variable':
        return yield this.#variable(node.name);
      case 'root':
        return yield this.#document;
      case 'current':
        return yield scope.current;
      case 'last':
        return yield Numeric.fromInt(scope.arraySize - 1);
      case 'steps':
        for (const item of this.#node(node.base, scope)) {
          yield* this.#step(node.steps, 0, item, this.#baseOf(node.base, scope), this.#lax);
        }
        return;
      case 'sign':
        return yield* this.#signed(node.minus, node.operand, scope);
      case 'arithmetic':
        return yield this.#arithmetic(node, scope);
      default:
        assertNever(node);
    }
  }

  #variable(name: string): JsonValue {
    const value = this.#variables.get(name);
    if (value !== undefined) return value;
    throw new StreamError('SQL_UNKNOWN_OBJECT', `could not find jsonpath variable "${name}"`);
  }

  #baseOf(node: PathNode, scope: Scope): Scope {
    if (node.kind === 'root') return { ...scope, base: { id: 0, tree: this.#document } };
    return node.kind === 'variable' ? { ...scope, base: { id: 1, tree: this.#variables } } : scope;
  }

  /** All items; of a lax path the elements of arrays instead of the arrays. */
  #operands(node: PathValue, scope: Scope): readonly JsonValue[] {
    const items = [...this.#value(node, scope)];
    return this.#lax ? items.flatMap((item) => (isJsonArray(item) ? [...item] : [item])) : items;
  }

  *#signed(minus: boolean, operand: PathValue, scope: Scope): Items {
    for (const item of this.#operands(operand, scope)) {
      if (!(item instanceof Numeric)) {
        throw new StreamError(
          'VALUE_JSON_NO_NUMBER',
          `operand of unary jsonpath operator ${minus ? '-' : '+'} is not a numeric value`,
        );
      }
      yield minus ? item.negate() : item;
    }
  }

  #arithmetic(node: PathValue & { readonly kind: 'arithmetic' }, scope: Scope): Numeric {
    const { operator } = node;
    const lefts = this.#operands(node.left, scope);
    const rights = this.#operands(node.right, scope);
    const single = (items: readonly JsonValue[], side: string): Numeric => {
      const [only] = items;
      if (items.length === 1 && only instanceof Numeric) return only;
      throw new StreamError(
        'VALUE_JSON_NOT_SINGLETON',
        `${side} operand of jsonpath operator ${operator} is not a single numeric value`,
      );
    };
    const left = single(lefts, 'left');
    const right = single(rights, 'right');
    switch (operator) {
      case '+':
        return left.add(right);
      case '-':
        return left.subtract(right);
      case '*':
        return left.multiply(right);
      case '/':
        return left.divide(right);
      case '%':
        return left.remainder(right);
      default:
        return assertNever(operator);
    }
  }

  #truth(node: PathPredicate, place: Scope): Truth {
    const scope = place.throws ? { ...place, throws: false } : place;
    switch (node.kind) {
      case 'and': {
        const left = this.#truth(node.left, scope);
        if (left === false) return false;
        const right = this.#truth(node.right, scope);
        return right === true ? left : right;
      }
      case 'or': {
        const left = this.#truth(node.left, scope);
        if (left === true) return true;
        const right = this.#truth(node.right, scope);
        return right === false ? left : right;
      }
      case 'not': {
        const operand = this.#truth(node.operand, scope);
        return operand === undefined ? undefined : !operand;
      }
      case 'is-unknown':
        return this.#truth(node.operand, scope) === undefined;
      case 'exists':
        return orUnknown(() => this.#exists(node.operand, scope));
      case 'compare':
        return this.#some(node.left, node.right, scope, (left, right) =>
          compareItems(node.operator, left, right),
        );
      case 'starts-with':
        return this.#some(node.operand, node.prefix, scope, (text, prefix) =>
          typeof text === 'string' && typeof prefix === 'string'
            ? text.startsWith(prefix)
            : undefined,
        );
      case 'like-regex':
        return this.#some(node.operand, undefined, scope, (text) =>
          typeof text === 'string' ? node.regex.test(text) : undefined,
        );
      default:
        return assertNever(node);
    }
  }

  /**
   * A strict path is followed to its end, for a failure there. Of a lax one whose last part is a sign PostgreSQL passes over
   * what is no number, where it would fail if it had to give the items.
   */
  #exists(operand: PathNode, scope: Scope): boolean {
    if (!this.#lax) return [...this.#node(operand, scope)].length > 0;
    if (operand.kind === 'sign') {
      return this.#operands(operand.operand, scope).some((item) => item instanceof Numeric);
    }
    return this.#node(operand, scope).next().done !== true;
  }

  /** Does the test hold for some pair? In a strict path a pair without an answer makes it unknown. */
  #some(
    left: PathValue,
    right: PathValue | undefined,
    scope: Scope,
    test: (left: JsonValue, right: JsonValue) => Truth,
  ): Truth {
    const lefts = orUnknown(() => this.#operands(left, scope));
    if (lefts === undefined) return undefined;
    const rights = right === undefined ? [null] : orUnknown(() => this.#operands(right, scope));
    if (rights === undefined) return undefined;
    let found = false;
    let failed = false;
    for (const one of lefts) {
      for (const other of rights) {
        const truth = test(one, other);
        if (truth === undefined) {
          if (!this.#lax) return undefined;
          failed = true;
        } else if (truth) {
          if (this.#lax) return true;
          found = true;
        }
      }
    }
    if (found) return true;
    return failed ? undefined : false;
  }

  #next(steps: readonly PathStep[], at: number, item: JsonValue, scope: Scope): Items {
    return this.#step(steps, at + 1, item, scope, this.#lax);
  }

  /** Goes on with the elements of an array, which are not gone into again. */
  *#elements(steps: readonly PathStep[], at: number, items: JsonValue, scope: Scope): Items {
    for (const item of items as readonly JsonValue[]) {
      yield* this.#step(steps, at, item, scope, false);
    }
  }

  /** @param unwrap  whether steps that are meant for elements go into an array. */
  *#step(
    steps: readonly PathStep[],
    at: number,
    item: JsonValue,
    scope: Scope,
    unwrap: boolean,
  ): Items {
    if (++this.#steps > STEPS_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `the SQL/JSON path takes more than ${STEPS_MAX} steps`,
      );
    }
    const step = steps[at];
    if (step === undefined) return yield item;
    switch (step.kind) {
      case 'key':
      case 'any-key':
        return yield* this.#member(step, steps, at, item, scope, unwrap);
      case 'any-element':
        if (isJsonArray(item)) {
          for (const element of item) yield* this.#next(steps, at, element, scope);
        } else if (this.#lax) yield* this.#next(steps, at, item, scope);
        else if (!scope.lenient) throw noArray('wildcard array accessor');
        return;
      case 'any-level': {
        const lenient = { ...scope, lenient: true };
        if (step.from === 0) yield* this.#levelZero(steps, at, item, lenient);
        return yield* this.#levels(step, steps, at, item, lenient, 1);
      }
      case 'elements':
        if (isJsonArray(item) || this.#lax) yield* this.#range(step.ranges, steps, at, item, scope);
        else if (!scope.lenient) throw noArray('array accessor');
        return;
      case 'filter':
        if (unwrap && isJsonArray(item)) return yield* this.#elements(steps, at, item, scope);
        if (this.#truth(step.condition, { ...scope, current: item }) === true) {
          yield* this.#next(steps, at, item, scope);
        }
        return;
      case 'method':
      case 'decimal':
        return yield* this.#method(step, steps, at, item, scope, unwrap);
      default:
        assertNever(step);
    }
  }

  *#member(
    step: PathStep & { readonly kind: 'key' | 'any-key' },
    steps: readonly PathStep[],
    at: number,
    item: JsonValue,
    scope: Scope,
    unwrap: boolean,
  ): Items {
    if (!isJsonObject(item)) {
      if (unwrap && isJsonArray(item)) yield* this.#elements(steps, at, item, scope);
      else if (!scope.lenient) {
        throw step.kind === 'key'
          ? new StreamError(
              'VALUE_JSON_NO_MEMBER',
              'jsonpath member accessor can only be applied to an object',
            )
          : new StreamError(
              'VALUE_JSON_NO_OBJECT',
              'jsonpath wildcard member accessor can only be applied to an object',
            );
      }
      return;
    }
    if (step.kind === 'any-key') {
      for (const [, value] of sortedEntries(item)) yield* this.#next(steps, at, value, scope);
      return;
    }
    const value = item.get(step.name);
    if (value !== undefined) yield* this.#next(steps, at, value, scope);
    else if (!scope.lenient) {
      throw new StreamError(
        'VALUE_JSON_NO_MEMBER',
        `JSON object does not contain key "${step.name}"`,
      );
    }
  }

  /** PostgreSQL forgets that the item itself failed when it goes on with what is in it. */
  *#levelZero(steps: readonly PathStep[], at: number, item: JsonValue, scope: Scope): Items {
    const isLeaf = !isJsonArray(item) && !isJsonObject(item);
    try {
      yield* this.#next(steps, at, item, scope);
    } catch (cause) {
      if (scope.throws || isLeaf || !isPathFailure(cause)) throw cause;
    }
  }

  *#levels(
    step: PathStep & { readonly kind: 'any-level' },
    steps: readonly PathStep[],
    at: number,
    item: JsonValue,
    scope: Scope,
    level: number,
  ): Items {
    const from = step.from === 'last' ? Number.POSITIVE_INFINITY : step.from;
    const to = step.to === 'last' ? Number.POSITIVE_INFINITY : step.to;
    if (level > to) return;
    for (const child of childrenOf(item)) {
      const isLeaf = !isJsonArray(child) && !isJsonObject(child);
      const deepest = step.from === 'last' && step.to === 'last' && isLeaf;
      if (level >= from || deepest) yield* this.#next(steps, at, child, scope);
      if (level < to) yield* this.#levels(step, steps, at, child, scope, level + 1);
    }
  }

  *#range(
    ranges: readonly PathRange[],
    steps: readonly PathStep[],
    at: number,
    item: JsonValue,
    scope: Scope,
  ): Items {
    const items = isJsonArray(item) ? item : [item];
    const inner = { ...scope, arraySize: items.length };
    for (const range of ranges) {
      const from = this.#subscript(range.from, inner);
      const to = range.to === undefined ? from : this.#subscript(range.to, inner);
      if (!scope.lenient && (from < 0 || from > to || to >= items.length)) {
        throw new StreamError('VALUE_JSON_SUBSCRIPT', 'jsonpath array subscript is out of bounds');
      }
      for (let i = Math.max(from, 0); i <= Math.min(to, items.length - 1); i++) {
        yield* this.#next(steps, at, items[i] as JsonValue, scope);
      }
    }
  }

  #subscript(node: PathValue, scope: Scope): number {
    const [only, ...others] = this.#value(node, scope);
    if (!(only instanceof Numeric) || others.length > 0) {
      throw new StreamError(
        'VALUE_JSON_SUBSCRIPT',
        'jsonpath array subscript is not a single numeric value',
      );
    }
    const index = only.truncate(0);
    if (!index.isFinite || BigInt.asIntN(32, index.toBigInt()) !== index.toBigInt()) {
      throw new StreamError(
        'VALUE_JSON_SUBSCRIPT',
        'jsonpath array subscript is out of integer range',
      );
    }
    return Number(index.toBigInt());
  }

  *#method(
    step: PathStep & { readonly kind: 'method' | 'decimal' },
    steps: readonly PathStep[],
    at: number,
    item: JsonValue,
    scope: Scope,
    unwrap: boolean,
  ): Items {
    const name = step.kind === 'decimal' ? step.kind : step.name;
    if (name === 'size') return yield* this.#size(steps, at, item, scope);
    if (name !== 'type' && unwrap && isJsonArray(item)) {
      return yield* this.#elements(steps, at, item, scope);
    }
    if (step.kind === 'decimal') {
      return yield* this.#next(steps, at, decimalMethod(item, step.precision, step.scale), scope);
    }
    if (name !== 'keyvalue' && name !== 'decimal') {
      return yield* this.#next(steps, at, scalarMethod(name, item), scope);
    }
    for (const pair of keyValues(item, scope.base)) {
      const base = { id: this.#generated++, tree: pair };
      yield* this.#next(steps, at, pair, { ...scope, base });
    }
  }

  *#size(steps: readonly PathStep[], at: number, item: JsonValue, scope: Scope): Items {
    if (!isJsonArray(item) && !this.#lax) {
      if (scope.lenient) return yield* this.#next(steps, at, Numeric.one, scope);
      throw new StreamError(
        'VALUE_JSON_NO_ARRAY',
        'jsonpath item method .size() can only be applied to an array',
      );
    }
    const size = isJsonArray(item) ? item.length : 1;
    yield* this.#next(steps, at, Numeric.fromInt(size), scope);
  }
}

function noArray(what: string): StreamError {
  return new StreamError('VALUE_JSON_NO_ARRAY', `jsonpath ${what} can only be applied to an array`);
}

function childrenOf(item: JsonValue): readonly JsonValue[] {
  if (isJsonArray(item)) return item;
  return isJsonObject(item) ? sortedEntries(item).map(([, value]) => value) : [];
}

function orUnknown<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (cause) {
    if (isPathFailure(cause)) return undefined;
    throw cause;
  }
}

/**
 * The items that a path finds in a document, one by one.
 * @param silent  whether the caller takes a failure for the end of the items.
 * @throws StreamError while they are taken: VALUE_JSON_… and those of the methods; SQL_UNKNOWN_OBJECT for a variable.
 */
export function pathItems(
  path: JsonPath,
  document: JsonValue,
  variables: JsonObject,
  silent: boolean,
): Items {
  return new PathRun(path.lax, document, variables).items(path.root, silent);
}

/** Is there an item? Fails like pathItems(), but a lax path only before its first item. */
export function pathExists(
  path: JsonPath,
  document: JsonValue,
  variables: JsonObject,
  silent: boolean,
): boolean {
  return new PathRun(path.lax, document, variables).exists(path.root, silent);
}
