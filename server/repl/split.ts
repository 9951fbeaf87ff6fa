import { readsStandardInput } from './copy.ts';

/** What a text holds up to some point: whether a statement is open, and inside of what. */
export type SplitState =
  | 'empty'
  | 'statement'
  | 'quote'
  | 'identifier'
  | 'dollar'
  | 'comment'
  | 'parenthesis'
  /** The rows of COPY … FROM STDIN. */
  | 'copy';

export type SplitPart =
  | {
      readonly kind: 'statement';
      /** Without the closing semicolon and without white space around it. */
      readonly text: string;
      /** 1-based line of its first character in the whole text. */
      readonly line: number;
      /** The lines of COPY … FROM STDIN, up to the one with `\.`. */
      readonly data?: string | undefined;
    }
  /** A backslash command up to the end of its line; `pending` is the statement text before it. */
  | { readonly kind: 'command'; readonly text: string; readonly pending: string };

export interface Split {
  readonly parts: readonly SplitPart[];
  /** The statement that is still open, as it was typed. */
  readonly rest: string;
  readonly restLine: number;
  readonly state: SplitState;
}

const endOfRows = /^\\\.\r?$/gm;
const identifierCharacter = /[A-Za-z0-9_$\u0080-\uffff]/;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

/**
 * Cuts a text at the semicolons that end statements, as psql does: not inside quotes, dollar quotes, comments or
 * parentheses.
 * @param commands  also cut at backslash commands, which end at their line's end, and take the rows of COPY … FROM STDIN.
 */
export function splitStatements(text: string, commands: boolean): Split {
  return new Splitter(text, commands).run();
}

class Splitter {
  readonly #text: string;
  readonly #commands: boolean;
  readonly #parts: SplitPart[] = [];
  /** Where the open statement begins, white space and comments skipped; -1 before its first token. */
  #start = -1;
  #restFrom = 0;
  #depth = 0;
  #at = 0;
  #state: SplitState = 'empty';

  constructor(text: string, commands: boolean) {
    this.#text = text;
    this.#commands = commands;
  }

  run(): Split {
    while (this.#at < this.#text.length && this.#state === 'empty') this.#step();
    const from = this.#start === -1 ? this.#restFrom : this.#start;
    const rest = this.#text.slice(from);
    return {
      parts: this.#parts,
      rest: this.#start === -1 && this.#state === 'empty' ? '' : rest,
      restLine: this.#lineOf(from),
      state: this.#endState(),
    };
  }

  #endState(): SplitState {
    if (this.#state !== 'empty') return this.#state;
    if (this.#depth > 0) return 'parenthesis';
    return this.#start === -1 ? 'empty' : 'statement';
  }

  #step(): void {
    const character = this.#text[this.#at] ?? '';
    const next = this.#text[this.#at + 1];
    if (/\s/.test(character)) this.#at++;
    else if (character === '-' && next === '-') this.#skipTo('\n', 2, 'line');
    else if (character === '/' && next === '*') this.#skipBlockComment();
    else if (character === ';' && this.#depth === 0) this.#endStatement();
    else if (character === '\\' && this.#commands) this.#takeCommand();
    else this.#token(character);
  }

  #token(character: string): void {
    if (this.#start === -1) this.#start = this.#at;
    if (character === "'") this.#skipQuoted(this.#hasEscapes());
    else if (character === '"') this.#skipIdentifier();
    else if (character === '$') this.#skipDollar();
    else {
      if (character === '(') this.#depth++;
      else if (character === ')') this.#depth = Math.max(0, this.#depth - 1);
      this.#at++;
    }
  }

  /** True for E'…', where a backslash escapes the next character. */
  #hasEscapes(): boolean {
    const before = this.#text[this.#at - 1];
    if (before !== 'e' && before !== 'E') return false;
    return !identifierCharacter.test(this.#text[this.#at - 2] ?? ' ');
  }

  #skipQuoted(escapes: boolean): void {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === '\\' && escapes) at++;
      else if (character === "'" && this.#text[at + 1] === "'") at++;
      else if (character === "'") {
        this.#at = at + 1;
        return;
      }
    }
    this.#stopIn('quote');
  }

  #skipIdentifier(): void {
    const end = this.#text.indexOf('"', this.#at + 1);
    if (end === -1) this.#stopIn('identifier');
    else this.#at = end + 1;
  }

  #skipDollar(): void {
    dollarTag.lastIndex = this.#at;
    const inName = identifierCharacter.test(this.#text[this.#at - 1] ?? ' ');
    const tag = inName ? undefined : dollarTag.exec(this.#text)?.[0];
    if (tag === undefined) this.#at++;
    else this.#skipTo(tag, tag.length, 'dollar');
  }

  /** To after `end`; a line comment may also end with the text. */
  #skipTo(end: string, from: number, kind: 'line' | 'dollar'): void {
    const found = this.#text.indexOf(end, this.#at + from);
    if (found !== -1) this.#at = found + end.length;
    else if (kind === 'line') this.#at = this.#text.length;
    else this.#stopIn(kind);
  }

  #skipBlockComment(): void {
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const pair = this.#text.slice(at, at + 2);
      if (pair === '/*') depth++;
      else if (pair === '*/') depth--;
      else continue;
      at++;
      if (depth === 0) {
        this.#at = at + 1;
        return;
      }
    }
    this.#stopIn('comment');
  }

  #stopIn(state: SplitState): void {
    this.#state = state;
    this.#at = this.#text.length;
  }

  #endStatement(): void {
    if (this.#start !== -1) {
      const text = this.#text.slice(this.#start, this.#at).trimEnd();
      const line = this.#lineOf(this.#start);
      if (this.#commands && readsStandardInput(text)) {
        this.#takeRows(text, line);
        return;
      }
      this.#parts.push({ kind: 'statement', text, line });
    }
    this.#at++;
    this.#begin();
  }

  /** The lines behind the statement's own. */
  #takeRows(text: string, line: number): void {
    const newline = this.#text.indexOf('\n', this.#at);
    const from = newline === -1 ? this.#text.length : newline + 1;
    endOfRows.lastIndex = from;
    const end = endOfRows.exec(this.#text);
    if (end === null) {
      this.#stopIn('copy');
      return;
    }
    const data = this.#text.slice(from, end.index);
    this.#parts.push({ kind: 'statement', text, line, data });
    this.#at = end.index + end[0].length;
    this.#begin();
  }

  #takeCommand(): void {
    const newline = this.#text.indexOf('\n', this.#at);
    const end = newline === -1 ? this.#text.length : newline;
    const pending = this.#start === -1 ? '' : this.#text.slice(this.#start, this.#at).trimEnd();
    this.#parts.push({ kind: 'command', text: this.#text.slice(this.#at, end).trim(), pending });
    this.#at = end;
    this.#begin();
  }

  #begin(): void {
    this.#start = -1;
    this.#restFrom = this.#at;
    this.#depth = 0;
  }

  #lineOf(at: number): number {
    return this.#text.slice(0, at).split('\n').length;
  }
}
