/**
 * The position in the tokens of one text, and the errors that are raised there. Every parser
 * function takes the cursor, consumes what it recognises and returns a node.
 */

import type { Expression, Query, QueryBody } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { assert } from './base/assert.ts';
import { type Span, StreamError } from './base/error.ts';
import type { Token } from './lexer.ts';

/**
 * Deepest nesting of rules of the grammar, far below what overflows the stack. A pair of
 * parentheses counts two, a subquery four.
 */
export const NESTING_MAX = 400;

/** Highest expression tree: a chain of operators counts one level an operator. */
export const EXPRESSION_HEIGHT_MAX = 500;

/** Longest text handed to the parser, in UTF-16 code units. */
export const STATEMENT_LENGTH_MAX = 16 * 1024 * 1024;

/**
 * The rules that call one another in circles (an expression holds a query holds expressions),
 * reached through the cursor so that the files of the grammar need not import in circles.
 */
export interface Grammar {
  /** `a_expr` of PostgreSQL's grammar, with operators that bind tighter than `minimum`. */
  expression(cursor: Cursor, minimum?: number): Expression;
  /** `b_expr`: no AND, OR, NOT, IS, IN, LIKE, BETWEEN. */
  restrictedExpression(cursor: Cursor): Expression;
  /** Continues an expression whose first operand is already read. */
  expressionFrom(cursor: Cursor, operand: Expression): Expression;
  /** `c_expr`: an operand without operators. */
  primary(cursor: Cursor): Expression;
  query(cursor: Cursor): Query;
  /** Continues a query whose first operand is already read. */
  queryFrom(cursor: Cursor, operand: QueryBody): Query;
  statement(cursor: Cursor): Statement;
  /** A statement that begins with WITH. */
  queryOrManipulation(cursor: Cursor): Statement;
}

/** Where a failed parse is read again, to collect what would have been accepted there. */
export interface Expectation {
  readonly token: number;
  /** Keywords, symbols and kinds of things asked for at the failing token. */
  readonly expected: Set<string>;
  /** Keywords that a misspelt failing token may have been meant to be. */
  readonly meantHere: Set<string>;
  /** The same for the token before it, which may have been taken for a name. */
  readonly meantBefore: Set<string>;
}

export class Cursor {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly grammar: Grammar;
  readonly #expectation: Expectation | undefined;
  readonly #recordFrom: number;
  /** Replaces the tokens from here on while `>>` is taken apart. */
  #split: Token | undefined;
  index = 0;
  #depth = 0;
  /** Height of the tallest expression read since the innermost one began. */
  height = 0;
  /** Whether `INTERVAL '1' MINUTES` may be written with a plural field (streaming clauses only). */
  pluralIntervals = false;

  constructor(
    source: string,
    tokens: readonly Token[],
    grammar: Grammar,
    expectation?: Expectation,
  ) {
    this.source = source;
    this.tokens = tokens;
    this.grammar = grammar;
    this.#expectation = expectation;
    this.#recordFrom = expectation === undefined ? Number.POSITIVE_INFINITY : expectation.token - 1;
  }

  get token(): Token {
    if (this.#split !== undefined) return this.#split;
    const token = this.tokens[this.index];
    assert(token !== undefined, 'the parser never moves past the end token');
    return token;
  }

  /** The token `offset` places ahead (behind, when negative), at most the last one. */
  peek(offset: number): Token {
    const at = Math.max(0, Math.min(this.index + offset, this.tokens.length - 1));
    const token = this.tokens[at];
    assert(token !== undefined, 'a token list has an end token');
    return token;
  }

  advance(): Token {
    const token = this.token;
    this.#split = undefined;
    if (token.kind === 'error') throw this.unexpected();
    if (token.kind !== 'end') this.index++;
    return token;
  }

  get start(): number {
    return this.token.start;
  }

  /** From `start` to the end of the last consumed token. */
  spanFrom(start: number): Span {
    return { start, end: Math.max(start, this.tokens[this.index - 1]?.end ?? start) };
  }

  /** Whether the current token is this unquoted word (lower case). */
  at(word: string): boolean {
    if (this.index >= this.#recordFrom) this.#record(word.toUpperCase());
    const token = this.token;
    return token.kind === 'word' && token.text === word;
  }

  /** Whether the words start here, one after the other. */
  atWords(...words: readonly string[]): boolean {
    const [first] = words;
    if (first === undefined || !this.at(first)) return false;
    return words.every((word, offset) => this.wordAhead(offset, word));
  }

  /** Whether the token `offset` places ahead is this unquoted word. */
  wordAhead(offset: number, word: string): boolean {
    const token = this.peek(offset);
    return token.kind === 'word' && token.text === word;
  }

  symbolAhead(offset: number, symbol: string): boolean {
    const token = this.peek(offset);
    return token.kind === 'operator' && token.text === symbol;
  }

  atSymbol(symbol: string): boolean {
    if (this.index >= this.#recordFrom) this.#record(symbol);
    const token = this.token;
    return token.kind === 'operator' && token.text === symbol;
  }

  accept(word: string): boolean {
    if (!this.at(word)) return false;
    this.advance();
    return true;
  }

  /** Consumes all the words, or nothing. */
  acceptWords(...words: readonly string[]): boolean {
    if (!this.atWords(...words)) return false;
    for (const _ of words) this.advance();
    return true;
  }

  /** Consumes the first of the words that is here, and returns it. */
  acceptOneOf<Word extends string>(...words: readonly Word[]): Word | undefined {
    const found = words.find((word) => this.at(word));
    if (found !== undefined) this.advance();
    return found;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.atSymbol(symbol)) return false;
    this.advance();
    return true;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.unexpected();
  }

  expectOneOf<Word extends string>(...words: readonly Word[]): Word {
    const found = this.acceptOneOf(...words);
    if (found === undefined) throw this.unexpected();
    return found;
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.unexpected();
  }

  /** Consumes one `>` even where the lexer read a longer operator: `array<array<int>>`. */
  expectClosingAngle(): void {
    if (!this.acceptCharacter('>')) throw this.unexpected();
  }

  /** Consumes one character of an operator, leaving its rest as the next token. */
  acceptCharacter(character: string): boolean {
    if (this.index >= this.#recordFrom) this.#record(character);
    const token = this.token;
    if (token.kind !== 'operator' || !token.text.startsWith(character)) return false;
    if (token.text.length === 1) this.advance();
    else this.#split = { ...token, text: token.text.slice(1), start: token.start + 1 };
    return true;
  }

  /** Whether the token `offset` places ahead is an operator that begins with `character`. */
  characterAhead(offset: number, character: string): boolean {
    const token = this.peek(offset);
    return token.kind === 'operator' && token.text.startsWith(character);
  }

  expectString(): string {
    if (this.token.kind !== 'string') throw this.unexpected('a string');
    return this.advance().text;
  }

  /** An unsigned integer literal. */
  expectInteger(): number {
    const { kind, text } = this.token;
    if (kind !== 'number' || !/^\d+$/.test(text)) throw this.unexpected('an integer');
    this.advance();
    return Number(text);
  }

  /** `(` items `)`, with at least one item. */
  parenthesized<Item>(item: () => Item): Item[] {
    this.expectSymbol('(');
    const items = this.list(item);
    this.expectSymbol(')');
    return items;
  }

  /** Items separated by commas, at least one. */
  list<Item>(item: () => Item): Item[] {
    const items = [item()];
    while (this.acceptSymbol(',')) items.push(item());
    return items;
  }

  /** Runs `rule` one level deeper; refuses nesting that would overflow the stack. */
  nested<Node>(rule: () => Node): Node {
    this.enter();
    const node = rule();
    this.leave();
    return node;
  }

  enter(): void {
    if (++this.#depth > NESTING_MAX) throw this.tooComplex();
  }

  leave(): void {
    this.#depth--;
  }

  /** Refuses a chain whose tree would be too tall to walk. */
  checkHeight(height: number): void {
    if (height > EXPRESSION_HEIGHT_MAX) throw this.tooComplex();
  }

  tooComplex(): StreamError {
    return new StreamError('SQL_TOO_COMPLEX', 'statement is nested too deeply', {
      at: { start: this.token.start, end: this.token.end },
      hint: `At most ${NESTING_MAX / 2} levels of parentheses and ${EXPRESSION_HEIGHT_MAX} operators in a row are read.`,
    });
  }

  /** The error for a token that no rule accepts here; `wanted` names what is no keyword. */
  unexpected(wanted?: string): StreamError {
    const token = this.token;
    if (token.error !== undefined) return token.error;
    if (wanted !== undefined && this.index >= this.#recordFrom) this.#record(wanted);
    if (token.kind === 'end') return this.error('syntax error at end of input', token);
    const near = this.source.slice(token.start, token.end);
    return this.error(`syntax error at or near "${near}"`, token);
  }

  error(message: string, at: Span, hint?: string): StreamError {
    return new StreamError('SQL_SYNTAX', message, {
      at: { start: at.start, end: at.end },
      hint,
    });
  }

  windowingError(message: string, at: Span): StreamError {
    return new StreamError('SQL_WINDOWING', message, { at: { start: at.start, end: at.end } });
  }

  /** For what PostgreSQL has and Millrace has not: the statement is understood and refused. */
  unsupported(what: string, at: Span = this.token): StreamError {
    return new StreamError('SQL_NOT_SUPPORTED', `${what} is not supported`, {
      at: { start: at.start, end: at.end },
    });
  }

  #record(wanted: string): void {
    if (this.index === this.#expectation?.token) this.#expectation.expected.add(wanted);
    this.#recordMeant(wanted);
  }

  #recordMeant(word: string): void {
    const expectation = this.#expectation;
    if (this.index === expectation?.token) expectation.meantHere.add(word);
    else if (this.index + 1 === expectation?.token) expectation.meantBefore.add(word);
  }

  /** Remembers keywords that a misspelt word here may have been meant to be. */
  recordMeant(words: Iterable<string>): void {
    if (this.index < this.#recordFrom) return;
    for (const word of words) this.#recordMeant(word);
  }
}
