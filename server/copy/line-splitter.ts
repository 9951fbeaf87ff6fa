/**
 * COPY's input in lines, by PostgreSQL's rules (CopyReadLineText): one kind of line end for all of it, `\.` as the end of text, and
 * line ends in CSV's quotes, which belong to the line. Text is one character a byte (latin1), since escapes mean bytes.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { CopyFormat } from '../../sql/copy-format.ts';

/** A line of COPY's input, in bytes. */
const COPY_LINE_BYTES_MAX = 67_108_864;

export interface Line {
  readonly text: string;
  /** Of its last line end, from 1. */
  readonly number: number;
}

type Found = 'more' | 'skip' | 'line' | 'end';

export class LineSplitter {
  readonly #isCsv: boolean;
  readonly #quote: string;
  /** Undefined where a quote stands for itself by being doubled. */
  readonly #escape: string | undefined;
  readonly #special: RegExp;
  #buffer = '';
  /** Where the open line begins, and where the search goes on. */
  #start = 0;
  #at = 0;
  #end = 0;
  #eol: '\n' | '\r' | '\r\n' | undefined;
  #number = 1;
  #isQuoted = false;
  #isEscaped = false;
  #isDone = false;

  constructor({ format, quote, escape: escapedBy }: CopyFormat) {
    this.#isCsv = format === 'csv';
    this.#quote = quote;
    this.#escape = escapedBy === quote ? undefined : escapedBy;
    const characters = this.#isCsv ? [quote, escapedBy] : ['\\'];
    const literal = characters.map(
      (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
    this.#special = new RegExp(`[\\r\\n${literal.join('')}]`, 'g');
  }

  /** The number of the line that is being read. */
  get number(): number {
    return this.#number;
  }

  /** The end of text was reached; what follows is no data. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** @throws StreamError RECORD_MALFORMED, VALUE_PROGRAM_LIMIT. */
  *push(chunk: string, isLast = false): Generator<Line> {
    if (this.#isDone) return;
    this.#buffer = this.#buffer.slice(this.#start) + chunk;
    this.#at -= this.#start;
    this.#start = 0;
    for (;;) {
      const found = this.#step(isLast);
      if (found === 'skip') continue;
      if (found === 'line') {
        const text = this.#buffer.slice(this.#start, this.#end);
        this.#start = this.#at;
        yield { text, number: this.#number++ };
        continue;
      }
      if (found === 'end') this.#isDone = true;
      break;
    }
    if (this.#buffer.length - this.#start > COPY_LINE_BYTES_MAX) {
      throw new StreamError(
        'VALUE_PROGRAM_LIMIT',
        `a line of COPY has more than ${COPY_LINE_BYTES_MAX} bytes`,
      );
    }
    if (!isLast || this.#isDone) return;
    this.#isDone = true;
    const text = this.#buffer.slice(this.#start);
    if (text !== '') yield { text, number: this.#number };
  }

  #step(isLast: boolean): Found {
    this.#special.lastIndex = this.#at;
    const index = this.#special.exec(this.#buffer)?.index;
    if (index === undefined) {
      if (this.#at < this.#buffer.length) this.#isEscaped = false;
      this.#at = this.#buffer.length;
      return 'more';
    }
    if (index > this.#at) this.#isEscaped = false;
    this.#at = index;
    const character = this.#buffer[index] ?? '';
    if (character === '\r' || character === '\n') {
      return this.#isQuoted ? this.#quotedEnd(character) : this.#lineEnd(character, isLast);
    }
    return this.#isCsv ? this.#quoting(character) : this.#backslash(isLast);
  }

  #quoting(character: string): Found {
    if (this.#isQuoted && character === this.#escape) this.#isEscaped = !this.#isEscaped;
    if (character === this.#quote && !this.#isEscaped) this.#isQuoted = !this.#isQuoted;
    if (character !== this.#escape) this.#isEscaped = false;
    this.#at++;
    return 'skip';
  }

  #quotedEnd(character: string): Found {
    this.#isEscaped = false;
    if (character === (this.#eol === '\n' ? '\n' : '\r')) this.#number++;
    this.#at++;
    return 'skip';
  }

  #lineEnd(character: '\r' | '\n', isLast: boolean): Found {
    const eol = this.#eol;
    this.#end = this.#at;
    if (character === '\n') {
      if (eol !== undefined && eol !== '\n') throw this.#wrongEnd('newline', '\\n');
      this.#eol = '\n';
      this.#at++;
      return 'line';
    }
    if (eol === '\n') throw this.#wrongEnd('carriage return', '\\r');
    if (eol !== '\r') {
      const next = this.#buffer[this.#at + 1];
      if (next === undefined && !isLast) return 'more';
      if (next === '\n') {
        this.#eol = '\r\n';
        this.#at += 2;
        return 'line';
      }
      if (eol === '\r\n') throw this.#wrongEnd('carriage return', '\\r');
      this.#eol = '\r';
    }
    this.#at++;
    return 'line';
  }

  #wrongEnd(what: string, escaped: string): StreamError {
    const kind = this.#isCsv ? 'unquoted' : 'literal';
    return new StreamError('RECORD_MALFORMED', `${kind} ${what} found in data`, {
      hint: this.#isCsv
        ? `Use quoted CSV field to represent ${what}.`
        : `Use "${escaped}" to represent ${what}.`,
    });
  }

  /** What a backslash stands before is no line end; `\.` ends the text. */
  #backslash(isLast: boolean): Found {
    const next = this.#buffer[this.#at + 1];
    if (next === undefined && !isLast) return 'more';
    if (next !== '.') {
      this.#at = Math.min(this.#at + 2, this.#buffer.length);
      return 'skip';
    }
    // Enough to see a line end of two characters.
    if (this.#buffer.length < this.#at + 4 && !isLast) return 'more';
    const after = /^(?:\r\n|\r|\n)/.exec(this.#buffer.slice(this.#at + 2, this.#at + 4))?.[0];
    if (after === undefined || this.#at > this.#start) {
      throw new StreamError('RECORD_MALFORMED', 'end-of-copy marker is not alone on its line');
    }
    if (this.#eol !== undefined && after !== this.#eol) {
      throw new StreamError(
        'RECORD_MALFORMED',
        'end-of-copy marker does not match previous newline style',
      );
    }
    return 'end';
  }
}
