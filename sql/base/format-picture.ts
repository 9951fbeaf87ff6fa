/** Format pictures of to_char() and to_number()/to_timestamp(): their split into keywords and literals. */

export type PictureNode<K> =
  | { readonly kind: 'literal'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'keyword';
      readonly key: K;
      /** FM in front: no padding. */
      readonly fill: boolean;
      /** TH or th behind: an ordinal suffix. */
      readonly ordinal: 'TH' | 'th' | undefined;
    };

const PICTURES_MAX = 256;

/**
 * @param find     the longest keyword that the text starts with
 * @param modifiers whether FM, TM, TH belong to single keywords (dates) or are keywords (numbers)
 */
export function splitPicture<K extends { readonly name: string }>(
  picture: string,
  find: (rest: string) => K | undefined,
  modifiers: boolean,
): readonly PictureNode<K>[] {
  const nodes: PictureNode<K>[] = [];
  let rest = picture;
  while (rest !== '') {
    let fill = false;
    let prefixed = rest;
    if (modifiers) {
      if (/^(?:FM|fm)/.test(prefixed)) {
        fill = true;
        prefixed = prefixed.slice(2);
      } else if (prefixed.startsWith('TM')) prefixed = prefixed.slice(2);
    }
    const key = find(prefixed);
    if (key !== undefined) {
      rest = prefixed.slice(key.name.length);
      let ordinal: 'TH' | 'th' | undefined;
      if (modifiers) {
        if (rest.startsWith('TH')) ordinal = 'TH';
        else if (rest.startsWith('th')) ordinal = 'th';
        if (ordinal !== undefined) rest = rest.slice(2);
        else if (rest.startsWith('SP')) rest = rest.slice(2);
      }
      nodes.push({ kind: 'keyword', key, fill, ordinal });
      continue;
    }
    rest = prefixed;
    if (rest === '') break;
    if (rest.startsWith('"')) {
      const quoted = /^"((?:\\[\s\S]|[^"\\])*\\?)"?/.exec(rest) as RegExpExecArray;
      for (const char of (quoted[1] ?? '').replace(/\\([\s\S])/g, '$1')) {
        nodes.push({ kind: 'literal', text: char, quoted: true });
      }
      rest = rest.slice(quoted[0].length);
      continue;
    }
    if (rest.startsWith('\\"')) rest = rest.slice(1);
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    nodes.push({ kind: 'literal', text: char, quoted: false });
    rest = rest.slice(char.length);
  }
  return nodes;
}

/** Keeps what a builder makes of each picture, up to a bound. */
export function cachePictures<T>(build: (picture: string) => T): (picture: string) => T {
  const built = new Map<string, T>();
  return (picture) => {
    const known = built.get(picture);
    if (known !== undefined) return known;
    const fresh = build(picture);
    if (built.size >= PICTURES_MAX) built.clear();
    built.set(picture, fresh);
    return fresh;
  };
}

/** st, nd, rd or th for a number's digits. */
export function ordinalSuffix(digits: string, upper: boolean): string {
  const teen = digits.length > 1 && digits.at(-2) === '1';
  const suffixes: Readonly<Record<string, string>> = { '1': 'st', '2': 'nd', '3': 'rd' };
  const suffix = teen ? 'th' : (suffixes[digits.at(-1) ?? ''] ?? 'th');
  return upper ? suffix.toUpperCase() : suffix;
}
