/** LIKE: `%` any text, `_` any character, backslash takes the next character literally. */
import { StreamError } from './error.ts';

function endsWithEscape(): StreamError {
  return new StreamError('VALUE_INVALID_ESCAPE', 'LIKE pattern must not end with escape character');
}

/** `stuck` also says that the text ran out, so that no later start can match. */
type Outcome = 'yes' | 'no' | 'stuck';

function nextCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length ? at + 2 : at + 1;
}

/** MatchText of like_match.c. */
function match(text: string, textStart: number, pattern: string, patternStart: number): Outcome {
  let t = textStart;
  let p = patternStart;
  while (t < text.length && p < pattern.length) {
    const char = pattern.charAt(p);
    if (char === '\\') {
      p++;
      if (p >= pattern.length) throw endsWithEscape();
      if (pattern.charAt(p) !== text.charAt(t)) return 'no';
    } else if (char === '%') {
      return matchAny(text, t, pattern, p + 1);
    } else if (char === '_') {
      t = nextCharacter(text, t);
      p++;
      continue;
    } else if (char !== text.charAt(t)) return 'no';
    t++;
    p++;
  }
  if (t < text.length) return 'no';
  while (pattern.charAt(p) === '%') p++;
  return p >= pattern.length ? 'yes' : 'stuck';
}

/** The rest of the pattern after a `%`. */
function matchAny(text: string, textStart: number, pattern: string, patternStart: number): Outcome {
  let t = textStart;
  let p = patternStart;
  for (; p < pattern.length; p++) {
    const char = pattern.charAt(p);
    if (char === '%') continue;
    if (char !== '_') break;
    if (t >= text.length) return 'stuck';
    t = nextCharacter(text, t);
  }
  if (p >= pattern.length) return 'yes';
  let first = pattern.charAt(p);
  if (first === '\\') {
    if (p + 1 >= pattern.length) throw endsWithEscape();
    first = pattern.charAt(p + 1);
  }
  for (t = text.indexOf(first, t); t >= 0; t = text.indexOf(first, t + 1)) {
    const outcome = match(text, t, pattern, p);
    if (outcome !== 'no') return outcome;
  }
  return 'stuck';
}

/** @throws StreamError VALUE_INVALID_ESCAPE when the match reaches a lone escape at the end. */
export function like(text: string, pattern: string): boolean {
  return match(text, 0, pattern, 0) === 'yes';
}

/**
 * Rewrites a pattern with another escape character (or none: '') to the backslash.
 * @throws StreamError VALUE_INVALID_ESCAPE.
 */
export function likeEscape(pattern: string, mark: string): string {
  if (mark === '\\') return pattern;
  if ([...mark].length > 1) {
    throw new StreamError('VALUE_INVALID_ESCAPE', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    });
  }
  let result = '';
  let literal = false;
  for (const char of pattern) {
    if (char === mark && !literal) {
      result += '\\';
      literal = true;
    } else {
      // A backslash means itself here, unless it is the escaped character, which has one already.
      result += char === '\\' && !literal ? '\\\\' : char;
      literal = false;
    }
  }
  return result;
}

/**
 * SIMILAR TO's pattern as a regular expression over the whole text (similar_escape_internal).
 * @throws StreamError VALUE_INVALID_ESCAPE, VALUE_INVALID_REGEX.
 */
export function similarToRegex(pattern: string, mark = '\\'): string {
  if ([...mark].length > 1) {
    throw new StreamError('VALUE_INVALID_ESCAPE', 'invalid escape string', {
      hint: 'Escape string must be empty or one character.',
    });
  }
  let result = '^(?:';
  let afterEscape = false;
  let inBracket = false;
  let bracketStart = false;
  let separators = 0;
  for (const char of pattern) {
    const wasStart = bracketStart;
    bracketStart = false;
    if (afterEscape) {
      if (char === '"' && !inBracket) {
        // The first mark ends the part before, the second the part that SUBSTRING returns.
        result += separators === 0 ? '){1,1}?(' : '){1,1}(?:';
        separators++;
        if (separators > 2) {
          throw new StreamError(
            'VALUE_INVALID_ESCAPE',
            'SQL regular expression may not contain more than two escape-double-quote separators',
          );
        }
      } else result += `\\${char}`;
      afterEscape = false;
    } else if (char === mark) afterEscape = true;
    else if (inBracket) {
      if (char === '\\') result += '\\\\';
      else result += char;
      if (char === ']' && !wasStart) inBracket = false;
      else if (char === '^' && wasStart) bracketStart = true;
    } else if (char === '[') {
      result += char;
      inBracket = true;
      bracketStart = true;
    } else if (char === '%') result += '.*';
    else if (char === '_') result += '.';
    else if (char === '(') result += '(?:';
    else if (char === '\\' || char === '.' || char === '^' || char === '$') result += `\\${char}`;
    else result += char;
  }
  return `${result})$`;
}
