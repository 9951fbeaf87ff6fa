/** East Asian wide and fullwidth ranges, and emoji, which terminals draw two columns wide (UAX #11). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
/** Combining marks, joiners and variation selectors take no column of their own. */
const zero = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200f])$/u;
const plain = /^[\x20-\x7e]*$/;

/** Terminal columns of a text that holds no control characters. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (zero.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** As psql shows them: control characters as \x1b, so that data cannot drive the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal.
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, (character) => {
    if (character === '\r') return '\\r';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** The longest start of `text` that fits into `columns`. */
export function clip(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let clipped = '';
  let width = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns) break;
    clipped += character;
  }
  return clipped;
}
