/** Styled lines, blocks beside each other, and a screen that is redrawn in place. */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'cyan';

export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

export type Line = readonly Span[];

/** A terminal that does not say how large it is has the size of a VT100. */
const WIDTH_DEFAULT = 80;
const HEIGHT_DEFAULT = 24;
/** Between blocks that stand beside each other. */
const GUTTER = 4;

const TOP = '\u001b[H';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_TO_SCREEN_END = '\u001b[J';
const CLEAR_SCREEN = '\u001b[2J';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** Both blocks on the same lines; the right one begins where the widest line of the left one allows. */
export function beside(left: readonly Line[], right: readonly Line[], at = 0): Line[] {
  const column = Math.max(at, GUTTER + Math.max(...left.map(widthOf)));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const first = left[i] ?? [];
    const second = right[i] ?? [];
    if (second.length === 0) return first;
    return [...first, { text: ' '.repeat(column - widthOf(first)) }, ...second];
  });
}

/** Numbers to the right, the rest to the left, under their names. */
export function table(
  columns: readonly { readonly name: string; readonly isNumber: boolean }[],
  rows: readonly (readonly (string | null)[])[],
): Line[] {
  const widths = columns.map(({ name }, i) =>
    Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const align = (cells: readonly (string | null)[]): string =>
    columns
      .map(({ isNumber }, i) => {
        const text = cells[i] ?? '';
        return isNumber ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
      })
      .join('  ');
  return [
    [{ text: align(columns.map(({ name }) => name)), style: 'dim' }],
    ...rows.map((row) => [{ text: align(row) }]),
  ];
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** One bar a value, the highest value as high as the line. */
export function sparkline(values: readonly number[]): string {
  const highest = Math.max(...values, 1);
  return values
    .map((value) => BARS[Math.round((Math.max(value, 0) / highest) * (BARS.length - 1))])
    .join('');
}

export class Screen {
  readonly #out: NodeJS.WriteStream;
  #isFirst = true;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Over the last picture, line by line so that nothing flickers; without a terminal below it. */
  draw(lines: readonly Line[]): void {
    if (!this.#out.isTTY) {
      this.#out.write(`${lines.map(plain).join('\n')}\n\n`);
      return;
    }
    const width = (this.#out.columns || WIDTH_DEFAULT) - 1;
    const height = (this.#out.rows || HEIGHT_DEFAULT) - 1;
    const picture = lines
      .slice(0, height)
      .map((line) => `${this.#styled(clip(line, width))}${CLEAR_TO_LINE_END}\n`)
      .join('');
    const start = this.#isFirst ? HIDE_CURSOR + CLEAR_SCREEN + TOP : TOP;
    this.#isFirst = false;
    this.#out.write(start + picture + CLEAR_TO_SCREEN_END);
  }

  /** Gives the terminal back, with the last picture on it. */
  close(): void {
    if (this.#out.isTTY && !this.#isFirst) this.#out.write(SHOW_CURSOR);
  }

  #styled(line: Line): string {
    return line
      .map(({ text, style }) =>
        style === undefined ? text : styleText(style, text, { stream: this.#out }),
      )
      .join('');
  }
}

function plain(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}

function clip(line: Line, width: number): Line {
  const kept: Span[] = [];
  let left = width;
  for (const span of line) {
    if (left <= 0) break;
    kept.push({ ...span, text: span.text.slice(0, left) });
    left -= span.text.length;
  }
  return kept;
}
