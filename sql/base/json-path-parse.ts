/** SQL/JSON path text -> tree. */
import { StreamError } from './error.ts';
import { type PathToken, pathSyntaxError, pathTokens } from './json-path-lexer.ts';
import {
  type Arithmetic,
  type Comparison,
  isPredicate,
  type JsonPath,
  type PathNode,
  type PathPredicate,
  type PathRange,
  type PathStep,
  type PathValue,
  plainMethods,
} from './json-path-syntax.ts';
import { Numeric } from './numeric.ts';
import { type CompiledRegex, compileRegex } from './regex.ts';

const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ...(['==', '!=', '<', '<=', '>', '>='] as const).map((op): [string, Comparison] => [op, op]),
  ['=', '=='],
  ['<>', '!='],
]);
const words: ReadonlyMap<string, null | boolean> = new Map([
  ['null', null],
  ['true', true],
  ['false', false],
]);
const datetimeMethods: ReadonlySet<string> = new Set([
  ...['date', 'datetime', 'time', 'time_tz', 'timestamp', 'timestamp_tz'],
]);
const DEPTH_MAX = 500;

class PathParser {
  readonly #tokens: readonly PathToken[];
  #at = 0;
  #depth = 0;
  /** Inside of how many filters and subscripts: where @ and last mean something. */
  #filters = 0;
  #subscripts = 0;

  constructor(text: string) {
    this.#tokens = pathTokens(text);
  }

  path(): JsonPath {
    if (this.#isAtEnd()) {
      throw new StreamError('VALUE_INVALID_TEXT', 'invalid input syntax for type jsonpath: ""');
    }
    const mode = this.#acceptWord('strict') ?? this.#acceptWord('lax');
    const root = this.#or();
    if (!this.#isAtEnd()) throw this.#unexpected();
    return { lax: mode !== 'strict', root };
  }

  get #token(): PathToken {
    return this.#tokens[this.#at] as PathToken;
  }

  #isAtEnd(): boolean {
    return this.#token.kind === 'end';
  }

  #unexpected(): StreamError {
    return pathSyntaxError(this.#token.text);
  }

  #atSymbol(text: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === text;
  }

  #acceptSymbol(...texts: readonly string[]): string | undefined {
    const { kind, text } = this.#token;
    if (kind !== 'symbol' || !texts.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  #expectSymbol(text: string): void {
    if (this.#acceptSymbol(text) === undefined) throw this.#unexpected();
  }

  /** Keywords are the same in any case, but true, false and null. */
  #acceptWord(word: string): string | undefined {
    const { kind, text } = this.#token;
    if (kind !== 'name' || text.toLowerCase() !== word) return undefined;
    this.#at++;
    return word;
  }

  #expectWord(word: string): void {
    if (this.#acceptWord(word) === undefined) throw this.#unexpected();
  }

  #predicate(node: PathNode): PathPredicate {
    if (!isPredicate(node)) throw this.#unexpected();
    return node;
  }

  #value(node: PathNode): PathValue {
    if (isPredicate(node)) throw this.#unexpected();
    return node;
  }

  #or(): PathNode {
    if (++this.#depth > DEPTH_MAX) {
      throw new StreamError('SQL_TOO_COMPLEX', 'the SQL/JSON path is nested too deeply');
    }
    let left = this.#and();
    while (this.#acceptSymbol('||') !== undefined) {
      left = { kind: 'or', left: this.#predicate(left), right: this.#predicate(this.#and()) };
    }
    this.#depth--;
    return left;
  }

  #and(): PathNode {
    let left = this.#not();
    while (this.#acceptSymbol('&&') !== undefined) {
      left = { kind: 'and', left: this.#predicate(left), right: this.#predicate(this.#not()) };
    }
    return left;
  }

  /** What is negated stands in parentheses or is an exists(). */
  #not(): PathNode {
    if (this.#acceptSymbol('!') === undefined) return this.#comparison();
    if (!this.#atSymbol('(') && this.#token.text.toLowerCase() !== 'exists') {
      throw this.#unexpected();
    }
    return { kind: 'not', operand: this.#predicate(this.#delimited()) };
  }

  #comparison(): PathNode {
    const left = this.#sum();
    if (isPredicate(left)) return left;
    const operator = this.#token.kind === 'symbol' ? comparisons.get(this.#token.text) : undefined;
    if (operator !== undefined) {
      this.#at++;
      return { kind: 'compare', operator, left, right: this.#value(this.#sum()) };
    }
    if (this.#acceptWord('starts') !== undefined) {
      this.#expectWord('with');
      const { kind, text } = this.#token;
      if (kind !== 'string' && kind !== 'variable') throw this.#unexpected();
      this.#at++;
      const prefix: PathValue =
        kind === 'string' ? { kind: 'literal', value: text } : { kind: 'variable', name: text };
      return { kind: 'starts-with', operand: left, prefix };
    }
    if (this.#acceptWord('like_regex') !== undefined) {
      return { kind: 'like-regex', operand: left, regex: this.#regex() };
    }
    return left;
  }

  #regex(): CompiledRegex {
    const pattern = this.#string();
    const flags = this.#acceptWord('flag') === undefined ? '' : this.#string();
    const unknown = /[^ismxq]/.exec(flags);
    if (unknown !== null) {
      throw new StreamError('SQL_SYNTAX', 'invalid input syntax for type jsonpath', {
        detail: `Unrecognized flag character "${unknown[0]}" in LIKE_REGEX predicate.`,
      });
    }
    const literal = flags.includes('q');
    if (flags.includes('x') && !literal) {
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        'XQuery "x" flag (expanded regular expressions) is not implemented',
      );
    }
    const lines = flags.includes('m')
      ? flags.includes('s')
        ? 'w'
        : 'n'
      : flags.includes('s')
        ? 's'
        : 'p';
    return compileRegex(pattern, `${flags.includes('i') ? 'i' : ''}${literal ? 'q' : lines}`);
  }

  #string(): string {
    const { kind, text } = this.#token;
    if (kind !== 'string') throw this.#unexpected();
    this.#at++;
    return text;
  }

  #sum(): PathNode {
    return this.#operators(['+', '-'], () => this.#operators(['*', '/', '%'], () => this.#sign()));
  }

  #operators(symbols: readonly Arithmetic[], operand: () => PathNode): PathNode {
    let left = operand();
    for (;;) {
      const operator = symbols.find((text) => this.#atSymbol(text));
      if (operator === undefined) return left;
      const value = this.#value(left);
      this.#at++;
      left = { kind: 'arithmetic', operator, left: value, right: this.#value(operand()) };
    }
  }

  #sign(): PathNode {
    const sign = this.#acceptSymbol('+', '-');
    if (sign === undefined) return this.#accessor();
    if (++this.#depth > DEPTH_MAX) {
      throw new StreamError('SQL_TOO_COMPLEX', 'the SQL/JSON path is nested too deeply');
    }
    const operand = this.#value(this.#sign());
    this.#depth--;
    if (operand.kind === 'literal' && operand.value instanceof Numeric) {
      return sign === '-' ? { kind: 'literal', value: operand.value.negate() } : operand;
    }
    return { kind: 'sign', minus: sign === '-', operand };
  }

  #accessor(): PathNode {
    const base = this.#primary();
    const steps: PathStep[] = [];
    for (let step = this.#step(); step !== undefined; step = this.#step()) steps.push(step);
    if (steps.length === 0) return base;
    // What a step says about the ones behind it holds across parentheses.
    if (base.kind === 'steps') return { ...base, steps: [...base.steps, ...steps] };
    return { kind: 'steps', base, steps };
  }

  #primary(): PathNode {
    const { kind, text } = this.#token;
    if (this.#atSymbol('(') || (kind === 'name' && text.toLowerCase() === 'exists')) {
      return this.#delimited();
    }
    this.#at++;
    switch (kind) {
      case 'string':
        return { kind: 'literal', value: text };
      case 'number':
        return { kind: 'literal', value: numberOf(text) };
      case 'variable':
        return { kind: 'variable', name: text };
      case 'symbol':
        if (text === '$') return { kind: 'root' };
        if (text === '@') return this.#currentItem();
        break;
      case 'name': {
        const word = words.get(text);
        if (word !== undefined) return { kind: 'literal', value: word };
        if (text.toLowerCase() === 'last') return this.#last();
        break;
      }
      case 'end':
        break;
    }
    this.#at--;
    throw this.#unexpected();
  }

  #currentItem(): PathValue {
    if (this.#filters > 0) return { kind: 'current' };
    throw new StreamError('SQL_SYNTAX', '@ is not allowed in root expressions');
  }

  #last(): PathValue {
    if (this.#subscripts > 0) return { kind: 'last' };
    throw new StreamError('SQL_SYNTAX', 'LAST is allowed only in array subscripts');
  }

  /** `(…)`, `(…) is unknown` or `exists(…)`. */
  #delimited(): PathNode {
    if (this.#acceptWord('exists') !== undefined) {
      this.#expectSymbol('(');
      const operand = this.#value(this.#or());
      this.#expectSymbol(')');
      return { kind: 'exists', operand };
    }
    this.#expectSymbol('(');
    const inner = this.#or();
    this.#expectSymbol(')');
    if (this.#acceptWord('is') === undefined) return inner;
    this.#expectWord('unknown');
    return { kind: 'is-unknown', operand: this.#predicate(inner) };
  }

  #step(): PathStep | undefined {
    if (this.#acceptSymbol('.') !== undefined) return this.#member();
    if (this.#acceptSymbol('?') !== undefined) {
      this.#expectSymbol('(');
      this.#filters++;
      const condition = this.#predicate(this.#or());
      this.#filters--;
      this.#expectSymbol(')');
      return { kind: 'filter', condition };
    }
    if (this.#acceptSymbol('[') === undefined) return undefined;
    if (this.#acceptSymbol('*') !== undefined) {
      this.#expectSymbol(']');
      return { kind: 'any-element' };
    }
    const ranges: PathRange[] = [];
    this.#subscripts++;
    do {
      const from = this.#value(this.#or());
      const to = this.#acceptWord('to') === undefined ? undefined : this.#value(this.#or());
      ranges.push({ from, to });
    } while (this.#acceptSymbol(',') !== undefined);
    this.#subscripts--;
    this.#expectSymbol(']');
    return { kind: 'elements', ranges };
  }

  #member(): PathStep {
    const { kind, text } = this.#token;
    if (this.#acceptSymbol('*') !== undefined) return { kind: 'any-key' };
    if (this.#acceptSymbol('**') !== undefined) return this.#levels();
    if (kind !== 'name' && kind !== 'string') throw this.#unexpected();
    this.#at++;
    if (kind === 'string' || !this.#atSymbol('(')) return { kind: 'key', name: text };
    const word = text.toLowerCase();
    const name = plainMethods.find((method) => method === word);
    if (name === undefined && word !== 'decimal') {
      if (!datetimeMethods.has(word)) throw this.#unexpected();
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        `jsonpath item method .${word}() is not supported`,
        { hint: 'Take the text out of the document (->>), and cast it.' },
      );
    }
    this.#at++;
    const step: PathStep = name === undefined ? this.#decimal() : { kind: 'method', name };
    this.#expectSymbol(')');
    return step;
  }

  #decimal(): PathStep {
    const [precision, scale] = this.#atSymbol(')') ? [] : this.#integers();
    return { kind: 'decimal', precision, scale };
  }

  #integers(): readonly number[] {
    const found: number[] = [];
    do {
      const minus = this.#acceptSymbol('+', '-') === '-';
      const size = this.#integer();
      found.push(minus ? -size : size);
    } while (found.length < 2 && this.#acceptSymbol(',') !== undefined);
    return found;
  }

  #integer(): number {
    const { kind, text } = this.#token;
    if (kind !== 'number' || /[.eE]/.test(text)) throw this.#unexpected();
    this.#at++;
    return Number(text.replaceAll('_', ''));
  }

  #levels(): PathStep {
    if (this.#acceptSymbol('{') === undefined) return { kind: 'any-level', from: 0, to: 'last' };
    const level = (): number | 'last' =>
      this.#acceptWord('last') === undefined ? this.#integer() : 'last';
    const from = level();
    const to = this.#acceptWord('to') === undefined ? from : level();
    this.#expectSymbol('}');
    return { kind: 'any-level', from, to };
  }
}

function numberOf(text: string): Numeric {
  const digits = text.replaceAll('_', '');
  if (/^0[xob]/i.test(digits)) return Numeric.fromInt(BigInt(digits.toLowerCase()));
  return Numeric.parse(digits);
}

const PARSED_MAX = 512;
const parsed = new Map<string, JsonPath>();

/**
 * Parsed paths are kept, the first ones going when there are too many.
 * @throws StreamError SQL_SYNTAX, VALUE_INVALID_REGEX and the like.
 */
export function parseJsonPath(text: string): JsonPath {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const path = new PathParser(text).path();
  if (parsed.size >= PARSED_MAX) parsed.delete(parsed.keys().next().value as string);
  parsed.set(text, path);
  return path;
}
