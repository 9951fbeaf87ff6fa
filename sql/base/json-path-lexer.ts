/** SQL/JSON path text -> tokens, by the rules of PostgreSQL's jsonpath_scan.l. */
import { StreamError } from './error.ts';

export interface PathToken {
  /** A name is a word outside of quotes; a symbol's text is itself. */
  readonly kind: 'name' | 'string' | 'number' | 'variable' | 'symbol' | 'end';
  /** Escapes replaced. */
  readonly text: string;
}

export function pathSyntaxError(near: string): StreamError {
  const message =
    near === ''
      ? 'syntax error at end of jsonpath input'
      : `syntax error at or near "${near}" of jsonpath input`;
  return new StreamError('SQL_SYNTAX', message);
}

const skipped = /(?:[ \t\n\r\f\v]|\/\*(?:[^*]|\*(?!\/))*\*\/)*/y;
const symbol = /&&|\|\||==|!=|<>|<=|>=|\*\*|[?%$.[\]{}()|&!=<>@#,*:\-+/]/y;
const number =
  /0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[oO][0-7]+(?:_[0-7]+)*|0[bB][01]+(?:_[01]+)*|(?:(?:0|[1-9]\d*(?:_\d+)*)(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y;
const plain = /[^?%$.[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f\v]+/y;
const quotedPlain = /[^\\"]+/y;
const escaped =
  /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([bfnrtv])|([^ux]))/y;
const controls: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

class PathLexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  *tokens(): Generator<PathToken, void> {
    for (;;) {
      this.#take(skipped);
      if (this.#at >= this.#text.length) return yield { kind: 'end', text: '' };
      yield this.#token();
    }
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    this.#at += match?.[0].length ?? 0;
    return match;
  }

  #token(): PathToken {
    const char = this.#text.charAt(this.#at);
    if (char === '"') return { kind: 'string', text: this.#quoted() };
    if (/\d/.test(char) || /^\.\d/.test(this.#text.slice(this.#at, this.#at + 2))) {
      return this.#number();
    }
    if (char === '$') {
      const next = this.#text.charAt(this.#at + 1);
      if (next === '"') {
        this.#at++;
        return { kind: 'variable', text: this.#quoted() };
      }
      this.#at++;
      const name = this.#word();
      return name === '' ? { kind: 'symbol', text: '$' } : { kind: 'variable', text: name };
    }
    const found = this.#take(symbol);
    if (found !== undefined) return { kind: 'symbol', text: found[0] };
    return { kind: 'name', text: this.#word() };
  }

  #number(): PathToken {
    const text = this.#take(number)?.[0] ?? '';
    if (/^[\w$\u0080-\uffff]/.test(this.#text.slice(this.#at))) {
      throw new StreamError(
        'SQL_SYNTAX',
        `trailing junk after numeric literal at or near "${text}${this.#text.charAt(this.#at)}" of jsonpath input`,
      );
    }
    return { kind: 'number', text };
  }

  #word(): string {
    let word = '';
    for (;;) {
      word += this.#take(plain)?.[0] ?? '';
      if (this.#text.charAt(this.#at) !== '\\') return word;
      word += this.#escape();
    }
  }

  #quoted(): string {
    const start = this.#at;
    this.#at++;
    let value = '';
    for (;;) {
      value += this.#take(quotedPlain)?.[0] ?? '';
      const char = this.#text.charAt(this.#at);
      if (char === '') {
        throw new StreamError(
          'SQL_SYNTAX',
          `unterminated quoted string at or near "${this.#text.slice(start)}" of jsonpath input`,
        );
      }
      if (char === '"') {
        this.#at++;
        if (!value.isWellFormed()) throw badSurrogate();
        return value;
      }
      value += this.#escape();
    }
  }

  #escape(): string {
    const match = this.#take(escaped);
    if (match === undefined) throw pathSyntaxError(this.#text.slice(this.#at));
    const [, braced, four, two, control, other] = match;
    if (control !== undefined) return controls[control] ?? control;
    if (other !== undefined) return other;
    const code = Number.parseInt(braced ?? four ?? two ?? '', 16);
    if (code === 0) {
      throw new StreamError('VALUE_UNTRANSLATABLE', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    if (code > 0x10ffff) throw badSurrogate();
    return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
  }
}

function badSurrogate(): StreamError {
  return new StreamError('VALUE_INVALID_TEXT', 'invalid input syntax for type jsonpath');
}

/** Ends with one token of kind `end`. @throws StreamError SQL_SYNTAX. */
export function pathTokens(text: string): readonly PathToken[] {
  return [...new PathLexer(text).tokens()];
}
