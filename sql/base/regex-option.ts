/** The flags of regular expressions: given as an argument, or embedded as `(?i)` in front. */
import { StreamError } from './error.ts';

export interface RegexOptions {
  ignoreCase: boolean;
  /** `.` and negated sets do not take a newline. */
  newlineStops: boolean;
  /** ^ and $ hold at lines. */
  lineAnchors: boolean;
  expanded: boolean;
  literal: boolean;
}

/** Flags in the order given, later ones winning; `g` must have been taken out. */
export function applyFlags(options: RegexOptions, flags: string): void {
  for (const flag of flags) {
    switch (flag) {
      case 'i':
        options.ignoreCase = true;
        break;
      case 'c':
        options.ignoreCase = false;
        break;
      case 'n':
      case 'm':
        options.newlineStops = true;
        options.lineAnchors = true;
        break;
      case 's':
        options.newlineStops = false;
        options.lineAnchors = false;
        break;
      case 'p':
        options.newlineStops = true;
        options.lineAnchors = false;
        break;
      case 'w':
        options.newlineStops = false;
        options.lineAnchors = true;
        break;
      case 'x':
        options.expanded = true;
        break;
      case 't':
        options.expanded = false;
        break;
      case 'q':
        options.literal = true;
        break;
      case 'e':
        break;
      case 'b':
        throw new StreamError('SQL_NOT_SUPPORTED', 'basic regular expressions are not supported');
      default:
        throw new StreamError(
          'VALUE_INVALID_PARAMETER',
          `invalid regular expression option: "${flag}"`,
        );
    }
  }
}
