import type { LiveEvent, TextRow } from './client.ts';
import { errorText } from './error-text.ts';
import type { Screen } from './screen.ts';
import { alignedLines, type TableColumn } from './table.ts';
import { clip, printable } from './width.ts';

/** Rows kept for redrawing; of larger results the newest are shown. */
const LIVE_ROWS_MAX = 5_000;
/** Shortest time between two drawings. */
const REDRAW_MS = 100;

/** Shows a subscription until it ends: a table that is redrawn in place, or lines where there is no terminal. */
export async function showLive(
  columns: readonly TableColumn[],
  events: AsyncIterable<LiveEvent>,
  screen: Screen,
  nullText: string,
): Promise<void> {
  if (screen.isTerminal) await new LiveTable(columns, screen, nullText).show(events);
  else await appendLines(columns, events, screen, nullText);
}

const signs = { insert: '+', delete: '-', update: '~' } as const;

async function appendLines(
  columns: readonly TableColumn[],
  events: AsyncIterable<LiveEvent>,
  screen: Screen,
  nullText: string,
): Promise<void> {
  const line = (sign: string, row: TextRow): string =>
    `${sign} | ${row.map((value) => printable(value ?? nullText)).join(' | ')}\n`;
  screen.write(
    line(
      ' ',
      columns.map((column) => column.name),
    ),
  );
  for await (const event of events) {
    if (event.kind === 'error') screen.error(errorText(event.error, ''));
    else if (event.kind === 'change') screen.write(line(signs[event.op], event.row));
    else for (const row of event.rows) screen.write(line(signs.insert, row));
  }
}

/**
 * The rows of a result as they are now, in order of arrival; a bag may hold a row twice. An updated row stays at its
 * place, so that the eye can follow it.
 */
export class LiveRows {
  /** By number of arrival; a Map keeps the place of an entry that is set again. */
  readonly #rows = new Map<number, TextRow>();
  /** The numbers of equal rows, by their text. */
  readonly #numbers = new Map<string, number[]>();
  #next = 0;
  /** Rows that are part of the result but no longer kept here. */
  #dropped = 0;

  get count(): number {
    return this.#rows.size + this.#dropped;
  }

  /** The newest rows that are kept, oldest first. */
  newest(count: number): TextRow[] {
    return [...this.#rows.values()].slice(-count);
  }

  apply(event: Exclude<LiveEvent, { kind: 'error' }>): void {
    if (event.kind === 'snapshot') {
      for (const row of event.rows) this.#insert(row, this.#next++);
    } else if (event.op === 'insert') {
      this.#insert(event.row, this.#next++);
    } else if (event.op === 'delete') {
      this.#delete(event.row);
    } else {
      const number = event.before === undefined ? undefined : this.#takeNumber(event.before);
      this.#insert(event.row, number ?? this.#next++);
    }
  }

  #insert(row: TextRow, number: number): void {
    const key = JSON.stringify(row);
    const numbers = this.#numbers.get(key);
    if (numbers === undefined) this.#numbers.set(key, [number]);
    else numbers.push(number);
    this.#rows.set(number, row);
    if (this.#rows.size > LIVE_ROWS_MAX) this.#dropOldest();
  }

  #delete(row: TextRow): void {
    const number = this.#takeNumber(row);
    if (number !== undefined) this.#rows.delete(number);
    else this.#dropped = Math.max(0, this.#dropped - 1);
  }

  #dropOldest(): void {
    for (const [number, row] of this.#rows) {
      this.#takeNumber(row);
      this.#rows.delete(number);
      this.#dropped++;
      return;
    }
  }

  /** Forgets that the oldest row equal to `row` has its number, and gives the number. */
  #takeNumber(row: TextRow): number | undefined {
    const key = JSON.stringify(row);
    const numbers = this.#numbers.get(key);
    const number = numbers?.shift();
    if (numbers?.length === 0) this.#numbers.delete(key);
    return number;
  }
}

/** Draws the rows over the last drawing. */
class LiveTable {
  readonly #columns: readonly TableColumn[];
  readonly #screen: Screen;
  readonly #nullText: string;
  readonly #rows = new LiveRows();
  #drawnLines = 0;
  #changes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(columns: readonly TableColumn[], screen: Screen, nullText: string) {
    this.#columns = columns;
    this.#screen = screen;
    this.#nullText = nullText;
  }

  async show(events: AsyncIterable<LiveEvent>): Promise<void> {
    this.#draw();
    try {
      for await (const event of events) {
        if (event.kind === 'error') {
          this.#screen.error(errorText(event.error, ''));
          this.#drawnLines = 0;
          continue;
        }
        if (event.kind === 'change') this.#changes++;
        this.#rows.apply(event);
        this.#timer ??= setTimeout(() => this.#draw(), REDRAW_MS);
      }
    } finally {
      clearTimeout(this.#timer);
      this.#draw();
    }
  }

  #draw(): void {
    this.#timer = undefined;
    const { rows: height, columns: width } = this.#screen.size();
    // Header, rule and the line below the table take three lines, the cursor's line one more.
    const shown = this.#rows.newest(Math.max(1, height - 4));
    const lines = alignedLines(
      { columns: this.#columns, rows: shown },
      { nullText: this.#nullText },
    );
    const { count } = this.#rows;
    const more = count > shown.length ? `, the newest ${shown.length} shown` : '';
    lines.push(
      `(${count} ${count === 1 ? 'row' : 'rows'}, ${this.#changes} changes${more}; Ctrl-C ends)`,
    );
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A\r` : '';
    const text = lines.map((line) => `${clip(line, width - 1)}\x1b[K\n`).join('');
    this.#screen.write(`${up}${text}\x1b[J`);
    this.#drawnLines = lines.length;
  }
}
