import type { Readable } from 'node:stream';
import { Client, type ClientAnswer, type ClientResult } from './client.ts';
import { errorText } from './error-text.ts';
import { showLive } from './live.ts';
import type { Screen } from './screen.ts';
import { alignedTable, expandedTable, type Table } from './table.ts';

/** What backslash commands change. */
export interface ShellSettings {
  expanded: boolean;
  timing: boolean;
  nullText: string;
}

export interface RunOptions {
  /** Put before `ERROR:`, as `file.sql:3: `. */
  readonly prefix?: string | undefined;
  readonly title?: string | undefined;
}

/** Runs statements on a server and prints what comes back; the prompt, scripts and pipes share it. */
export class Shell {
  readonly screen: Screen;
  readonly settings: ShellSettings = { expanded: false, timing: false, nullText: '' };
  #client: Client;
  #running: AbortController | undefined;

  constructor(url: URL, screen: Screen) {
    this.#client = new Client(url);
    this.screen = screen;
  }

  get url(): URL {
    return this.#client.url;
  }

  /** Turns to another server; the session there is new. */
  connect(url: URL): void {
    this.#client = new Client(url);
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Ends the running statement, as Ctrl-C does. */
  cancel(): void {
    this.#running?.abort();
  }

  /**
   * Runs one statement and prints its results or its error.
   * @returns whether it succeeded. @throws ConnectionError.
   */
  async run(sql: string, options: RunOptions = {}): Promise<boolean> {
    const began = performance.now();
    const ok = await this.cancellable(async (signal) => {
      const answer = await this.#client.query(sql, signal);
      if (answer.kind === 'live') {
        await showLive(answer.columns, answer.events, this.screen, this.settings.nullText);
        return true;
      }
      return this.#print(answer, sql, options);
    });
    if (this.settings.timing) {
      this.screen.write(`Time: ${timeText(performance.now() - began)}\n`);
    }
    return ok ?? false;
  }

  /**
   * Runs COPY with the rows of `input`, or puts out those that it answers.
   * @returns whether it succeeded. @throws ConnectionError.
   */
  async copy(
    sql: string,
    input: Readable | undefined,
    options: RunOptions = {},
    write: (lines: Readable) => Promise<void> = (lines) => this.#writeLines(lines),
  ): Promise<boolean> {
    const ok = await this.cancellable(async (signal) => {
      const answer = await this.#client.copy(sql, input, signal);
      if (answer.kind === 'failed') {
        this.screen.error(errorText(answer.error, sql, options.prefix));
        return false;
      }
      if (answer.kind === 'out') await write(answer.lines);
      else this.#printResult(answer, undefined);
      return true;
    });
    return ok ?? false;
  }

  async #writeLines(lines: Readable): Promise<void> {
    lines.setEncoding('utf8');
    for await (const text of lines) this.screen.write(String(text));
  }

  /** Runs a statement for its rows, printing nothing; undefined when it fails. */
  async fetch(sql: string): Promise<Table | undefined> {
    const answer = await this.#client.query(sql);
    if (answer.kind === 'live') return undefined;
    const [result] = answer.results;
    return answer.error === undefined && result?.kind === 'rows' ? result : undefined;
  }

  /** Waits for something that `cancel` ends without a word; undefined when it did. */
  async pausable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const controller = new AbortController();
    this.#running = controller;
    try {
      return await work(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      return undefined;
    } finally {
      this.#running = undefined;
    }
  }

  /** Does something that `cancel` ends; undefined when it did. */
  async cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    let finished = false;
    const result = await this.pausable(async (signal) => {
      const value = await work(signal);
      finished = true;
      return value;
    });
    if (!finished) this.screen.error('ERROR:  canceling statement due to user request\n');
    return result;
  }

  print(table: Table, title?: string): void {
    const { nullText, expanded } = this.settings;
    const layout = expanded ? expandedTable : alignedTable;
    this.screen.write(layout(table, { nullText, title }));
  }

  #print(
    answer: Extract<ClientAnswer, { kind: 'results' }>,
    sql: string,
    options: RunOptions,
  ): boolean {
    for (const result of answer.results) this.#printResult(result, options.title);
    if (answer.error === undefined) return true;
    this.screen.error(errorText(answer.error, sql, options.prefix));
    return false;
  }

  #printResult(result: ClientResult, title: string | undefined): void {
    if (result.kind === 'ok') {
      const { tag, message } = result;
      this.screen.write(message === '' || message === tag ? `${tag}\n` : `${tag}\n${message}\n`);
    } else if (isPlan(result)) {
      this.screen.write(`${result.rows.map(([line]) => line ?? '').join('\n')}\n`);
    } else {
      this.print(result, title);
    }
  }
}

/** EXPLAIN's lines read better without a frame. */
function isPlan(result: Extract<ClientResult, { kind: 'rows' }>): boolean {
  return result.columns.length === 1 && result.columns[0]?.name === 'QUERY PLAN';
}

/** `12.345 ms`, with minutes beside it when it is long, as psql's \timing. */
export function timeText(ms: number): string {
  const plain = `${ms.toFixed(3)} ms`;
  if (ms < 1000) return plain;
  const seconds = ms / 1000;
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds % 60).toFixed(3).padStart(6, '0');
  return `${plain} (${String(minutes).padStart(2, '0')}:${rest})`;
}
