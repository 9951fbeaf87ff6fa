/** What stands in parentheses behind EXPLAIN: PostgreSQL's options, of which FORMAT and ANALYZE mean something here. */
import { StreamError } from '../sql/base/error.ts';

export interface ExplainOptions {
  readonly analyze: boolean;
  readonly format: 'text' | 'json';
}

/** Understood and left aside: plans have no costs, buffers or write-ahead log. */
const idle: ReadonlySet<string> = new Set([
  ...['verbose', 'costs', 'settings', 'generic_plan', 'buffers', 'summary', 'memory', 'types'],
]);
/** The same, but only with ANALYZE. */
const ofRuns: ReadonlySet<string> = new Set(['timing', 'wal', 'serialize']);

/** @throws StreamError SQL_SYNTAX, SQL_INVALID_OPTION, SQL_NOT_SUPPORTED, as PostgreSQL. */
export function readExplainOptions(options: ReadonlyMap<string, string>): ExplainOptions {
  for (const key of options.keys()) {
    if (key === 'analyze' || key === 'format' || idle.has(key) || ofRuns.has(key)) continue;
    throw new StreamError('SQL_SYNTAX', `unrecognized EXPLAIN option "${key}"`);
  }
  const analyze = flag(options, 'analyze');
  for (const key of idle) flag(options, key);
  for (const key of ofRuns) {
    const isOn = key === 'serialize' ? options.has(key) : flag(options, key);
    if (!isOn || analyze) continue;
    throw new StreamError(
      'SQL_INVALID_OPTION',
      `EXPLAIN option ${key.toUpperCase()} requires ANALYZE`,
    );
  }
  return { analyze, format: formatOf(options.get('format')) };
}

function flag(options: ReadonlyMap<string, string>, key: string): boolean {
  const text = options.get(key)?.toLowerCase();
  if (text === undefined) return false;
  if (['true', 'on', '1'].includes(text)) return true;
  if (['false', 'off', '0'].includes(text)) return false;
  throw new StreamError('SQL_SYNTAX', `${key} requires a Boolean value`);
}

function formatOf(text = 'text'): ExplainOptions['format'] {
  if (text === 'text' || text === 'json') return text;
  if (text === 'xml' || text === 'yaml') {
    throw new StreamError('SQL_NOT_SUPPORTED', `EXPLAIN as ${text} is not supported`, {
      hint: 'Use FORMAT JSON.',
    });
  }
  const message = `unrecognized value for EXPLAIN option "format": "${text}"`;
  throw new StreamError('SQL_INVALID_OPTION', message);
}
