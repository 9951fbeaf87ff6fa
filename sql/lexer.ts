/**
 * SQL text to tokens, by PostgreSQL's lexical rules (PostgreSQL manual, "Lexical Structure").
 * Two additions: `…` quotes an identifier, as in ksqlDB and Flink, so a backquote is never part of
 * an operator; and a lone `{`, `}` or `$` is a token, for the patterns of MATCH_RECOGNIZE.
 */
import { type Span, StreamError } from './base/error.ts';
import { type KeywordClass, keywords } from './keyword.ts';
import { decodeEscapes, decodeUnicodeEscapes } from './lexer-string.ts';

export type TokenKind =
  | 'word'
  | 'quoted'
  | 'number'
  | 'string'
  | 'bit-string'
  | 'parameter'
  | 'operator'
  | 'end'
  | 'error';

export interface Token extends Span {
  readonly kind: TokenKind;
  /**
   * word: folded to lower case · quoted, string: the decoded value · number: digits without
   * underscores, in decimal · bit-string: `b1010` or `x1F` · parameter: its digits ·
   * operator: as written, `<>` for `!=` · end, error: empty.
   */
  readonly text: string;
  /** The class of a word that is a keyword. */
  readonly keyword: KeywordClass | undefined;
  /** What is wrong, on the `error` token that ends a broken text. */
  readonly error?: StreamError | undefined;
  /** An unfinished quote or comment: more input could still complete it. */
  readonly unterminated?: boolean | undefined;
}

/** $1 … $65535: what PostgreSQL's wire protocol can number. */
const PARAMETER_MAX = 65535;

/** What operators are made of; a backquote would be one in PostgreSQL. */
export const OPERATOR_CHARACTERS = '~!@#^&|?+-*/%<>=';
const OPERATOR_CHARACTERS_ALLOWING_SIGN_AT_END = /[~!@#^&|?%]/;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isIdentifierStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
const isIdentifierPart = (code: number): boolean =>
  isIdentifierStart(code) || isDigit(code) || code === 36;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

const operatorCodes: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  OPERATOR_CHARACTERS.includes(String.fromCharCode(code)),
);

const numberPattern =
  /0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?/y;
const dollarTagPattern = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
/** What may stand between the parts of one string literal: white space with a line break in it. */
const continuationPattern = /[ \t\f\v]*(?:--[^\n\r]*)?[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
const upperCase = /[A-Z]+/g;

/** Lower case of the ASCII letters only, as PostgreSQL folds identifiers in UTF-8. */
const fold = (text: string): string => text.replace(upperCase, (letters) => letters.toLowerCase());

/**
 * All tokens of `source`, ended by an `end` token, or by an `error` token at the first place that
 * is no SQL. Never throws: the parser reports the error when it reaches it, so that an earlier
 * mistake of grammar is the one that is reported.
 */
export function tokenize(source: string): readonly Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): readonly Token[] {
    const source = this.#source;
    const length = source.length;
    try {
      for (;;) {
        while (this.#at < length && isSpace(source.charCodeAt(this.#at))) this.#at++;
        if (this.#at >= length) break;
        this.#next(source.charCodeAt(this.#at));
      }
      this.#push('end', '', length);
    } catch (error) {
      if (!(error instanceof LexicalError)) throw error;
      const { start, end, unterminated } = error;
      this.#tokens.push({
        kind: 'error',
        text: '',
        start,
        end,
        keyword: undefined,
        error: error.reason,
        unterminated,
      });
    }
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string, start: number): void {
    this.#tokens.push({ kind, text, start, end: this.#at, keyword: undefined });
  }

  #next(code: number): void {
    const next = this.#source.charCodeAt(this.#at + 1);
    if (isIdentifierStart(code)) {
      this.#wordOrPrefixedString(code, next);
      return;
    }
    if (isDigit(code) || (code === 46 && isDigit(next))) {
      this.#number();
      return;
    }
    if (code === 39) {
      this.#string(this.#at, this.#at);
      return;
    }
    if (code === 34 || code === 96) {
      this.#quotedIdentifier(this.#at, this.#at);
      return;
    }
    if (code === 45 && next === 45) {
      this.#lineComment();
      return;
    }
    if (code === 47 && next === 42) {
      this.#blockComment();
      return;
    }
    if (code === 36) {
      this.#dollar(next);
      return;
    }
    if (code < 128 && operatorCodes[code]) {
      this.#operator();
      return;
    }
    const start = this.#at;
    const pair =
      code === 58 && (next === 58 || next === 61) ? 2 : code === 46 && next === 46 ? 2 : 1;
    this.#at += pair;
    this.#push('operator', this.#source.slice(start, this.#at), start);
  }

  #wordOrPrefixedString(code: number, next: number): void {
    const start = this.#at;
    if (next === 39) {
      if (code === 69 || code === 101) {
        this.#string(start, start + 1, decodeEscapes);
        return;
      }
      if (code === 66 || code === 98) {
        this.#bitString('b', /^[01]*$/, 'binary');
        return;
      }
      if (code === 88 || code === 120) {
        this.#bitString('x', /^[0-9a-fA-F]*$/, 'hexadecimal');
        return;
      }
      if (code === 78 || code === 110) {
        // N'…' is the type name NCHAR before a string.
        this.#at = start + 1;
        this.#word('nchar', start);
        return;
      }
    }
    if (next === 38 && (code === 85 || code === 117)) {
      const quote = this.#source.charCodeAt(start + 2);
      if (quote === 39) {
        this.#string(start, start + 2, this.#decodeUnicode);
        return;
      }
      if (quote === 34) {
        this.#quotedIdentifier(start, start + 2, this.#decodeUnicode);
        return;
      }
    }
    let at = start + 1;
    while (isIdentifierPart(this.#source.charCodeAt(at))) at++;
    this.#at = at;
    this.#word(fold(this.#source.slice(start, at)), start);
  }

  #word(text: string, start: number): void {
    const keyword = keywords.get(text);
    this.#tokens.push({
      kind: 'word',
      text: keyword === undefined ? text : keyword.word,
      start,
      end: this.#at,
      keyword: keyword?.class,
    });
  }

  #number(): void {
    const start = this.#at;
    numberPattern.lastIndex = start;
    this.#at = start + (numberPattern.exec(this.#source)?.[0].length ?? 1);
    const next = this.#source.charCodeAt(this.#at);
    // `0x1$` and `1e2$` are longer as a number and an identifier: `x1$`, `e2$`.
    const endsAsName = /[a-z]\w*$/i.test(this.#source.slice(start, this.#at));
    if (isIdentifierStart(next) || (endsAsName && next === 36)) {
      const rest = /^(?:[eE][-+]|[A-Za-z0-9_$\u0080-\uffff]*)/.exec(this.#source.slice(this.#at));
      this.#at += rest?.[0].length ?? 0;
      const based = /^0([xXoObB])_?$/.exec(this.#source.slice(start, this.#at))?.[1]?.toLowerCase();
      const base = based === 'x' ? 'hexadecimal' : based === 'o' ? 'octal' : 'binary';
      throw this.#error(
        based === undefined ? 'trailing junk after numeric literal' : `invalid ${base} integer`,
        start,
      );
    }
    const digits = this.#source.slice(start, this.#at).replaceAll('_', '');
    this.#push('number', /^0[xob]/i.test(digits) ? BigInt(digits).toString() : digits, start);
  }

  /**
   * A string literal whose opening quote is at `quote`, with the literals that continue it on
   * following lines.
   */
  #string(
    start: number,
    quote: number,
    decode?: (body: string, context: { at: Span }) => string,
  ): void {
    const backslashes = decode === decodeEscapes;
    let body = '';
    let at = quote;
    for (;;) {
      const end = this.#closingQuote(at + 1, "'", backslashes);
      if (end < 0) throw this.#unterminated('quoted string', start);
      body += this.#source.slice(at + 1, end).replaceAll("''", "'");
      this.#at = end + 1;
      continuationPattern.lastIndex = this.#at;
      if (!continuationPattern.test(this.#source)) break;
      at = continuationPattern.lastIndex - 1;
    }
    const span = { start, end: this.#at };
    this.#push('string', this.#decode(body, { ...span, start: quote + 1 }, decode), start);
  }

  #quotedIdentifier(
    start: number,
    quote: number,
    decode?: (body: string, context: { at: Span }) => string,
  ): void {
    const mark = this.#source.charAt(quote);
    const end = this.#closingQuote(quote + 1, mark, false);
    if (end < 0) throw this.#unterminated('quoted identifier', start);
    this.#at = end + 1;
    const body = this.#source.slice(quote + 1, end).replaceAll(mark + mark, mark);
    if (body === '') throw this.#error('zero-length delimited identifier', start);
    this.#push('quoted', this.#decode(body, { start: quote + 1, end: this.#at }, decode), start);
  }

  /** The position of the quote that ends a body starting at `at`; -1 when there is none. */
  #closingQuote(at: number, mark: string, backslashes: boolean): number {
    const source = this.#source;
    let from = at;
    for (;;) {
      const end = source.indexOf(mark, from);
      if (end < 0) return -1;
      if (backslashes) {
        const backslash = source.indexOf('\\', from);
        if (backslash >= 0 && backslash < end) {
          from = backslash + 2;
          continue;
        }
      }
      if (source.charAt(end + 1) !== mark) return end;
      from = end + 2;
    }
  }

  #decode(
    body: string,
    at: Span,
    decode: ((body: string, context: { at: Span }) => string) | undefined,
  ): string {
    if (decode === undefined) return body;
    try {
      return decode(body, { at });
    } catch (error) {
      if (error instanceof StreamError) throw new LexicalError(error, at.start, at.end, false);
      throw error;
    }
  }

  /** U&'…' with its escape character, which a UESCAPE clause after it may change. */
  readonly #decodeUnicode = (body: string, context: { at: Span }): string =>
    decodeUnicodeEscapes(body, this.#unicodeEscape(), context);

  #unicodeEscape(): string {
    const clause = /(?:\s|--[^\n]*\n)*uescape(?:\s|--[^\n]*\n)*'([^']|'')'/iy;
    clause.lastIndex = this.#at;
    const found = clause.exec(this.#source);
    if (found === null) return '\\';
    const character = found[1] ?? '';
    if (/[0-9a-fA-F+'"\s]/.test(character)) {
      throw this.#error('invalid Unicode escape character', this.#at);
    }
    this.#at = clause.lastIndex;
    return character;
  }

  #bitString(prefix: 'b' | 'x', allowed: RegExp, name: string): void {
    const start = this.#at;
    const end = this.#source.indexOf("'", start + 2);
    if (end < 0) {
      const what = prefix === 'b' ? 'bit string literal' : 'hexadecimal string literal';
      throw this.#unterminated(what, start);
    }
    this.#at = end + 1;
    const digits = this.#source.slice(start + 2, end);
    if (!allowed.test(digits)) throw this.#error(`invalid digit in ${name} string`, start);
    this.#push('bit-string', prefix + digits, start);
  }

  #dollar(next: number): void {
    const start = this.#at;
    if (isDigit(next)) {
      this.#parameter(start);
      return;
    }
    dollarTagPattern.lastIndex = start;
    const tag = dollarTagPattern.exec(this.#source)?.[0];
    if (tag === undefined) {
      this.#at++;
      this.#push('operator', '$', start);
      return;
    }
    const end = this.#source.indexOf(tag, start + tag.length);
    if (end < 0) throw this.#unterminated('dollar-quoted string', start);
    this.#at = end + tag.length;
    this.#push('string', this.#source.slice(start + tag.length, end), start);
  }

  #parameter(start: number): void {
    let at = start + 1;
    while (isDigit(this.#source.charCodeAt(at))) at++;
    this.#at = at;
    const digits = this.#source.slice(start + 1, at);
    if (isIdentifierStart(this.#source.charCodeAt(at))) {
      while (isIdentifierPart(this.#source.charCodeAt(this.#at))) this.#at++;
      throw this.#error('trailing junk after parameter', start);
    }
    if (Number(digits) > PARAMETER_MAX) throw this.#error('parameter number too large', start);
    this.#push('parameter', digits, start);
  }

  #lineComment(): void {
    while (this.#at < this.#source.length && !/[\n\r]/.test(this.#source.charAt(this.#at))) {
      this.#at++;
    }
  }

  #blockComment(): void {
    const start = this.#at;
    const edge = /\/\*|\*\//g;
    edge.lastIndex = start;
    let depth = 0;
    do {
      const found = edge.exec(this.#source);
      if (found === null) throw this.#unterminated('/* comment', start);
      depth += found[0] === '/*' ? 1 : -1;
    } while (depth > 0);
    this.#at = edge.lastIndex;
  }

  /**
   * The longest run of operator characters, cut before a comment. A + or - ends an operator of
   * several characters only when a character that no standard operator has is in it, so that `=-1`
   * is two tokens and `@-1` is one operator and a number.
   */
  #operator(): void {
    const source = this.#source;
    const start = this.#at;
    let end = start;
    for (;;) {
      const code = source.charCodeAt(end);
      if (!(code < 128 && operatorCodes[code])) break;
      const pair = source.slice(end, end + 2);
      if (end > start && (pair === '--' || pair === '/*')) break;
      end++;
    }
    if (!OPERATOR_CHARACTERS_ALLOWING_SIGN_AT_END.test(source.slice(start, end))) {
      while (end > start + 1 && (source[end - 1] === '+' || source[end - 1] === '-')) end--;
    }
    this.#at = end;
    const text = source.slice(start, end);
    this.#push('operator', text === '!=' ? '<>' : text, start);
  }

  #unterminated(what: string, start: number): LexicalError {
    this.#at = this.#source.length;
    return this.#error(`unterminated ${what}`, start, true);
  }

  #error(message: string, start: number, unterminated = false): LexicalError {
    const near = this.#source.slice(start, this.#at);
    const at = { start, end: this.#at };
    const text = near === '' ? `${message} at end of input` : `${message} at or near "${near}"`;
    return new LexicalError(
      new StreamError('SQL_SYNTAX', text, { at }),
      start,
      this.#at,
      unterminated,
    );
  }
}

/** Carries a lexical mistake to the end of the token list. */
class LexicalError extends Error {
  readonly reason: StreamError;
  readonly start: number;
  readonly end: number;
  readonly unterminated: boolean;

  constructor(reason: StreamError, start: number, end: number, unterminated: boolean) {
    super(reason.message);
    this.reason = reason;
    this.start = start;
    this.end = end;
    this.unterminated = unterminated;
  }
}
