import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Lines that are kept. */
export const HISTORY_LINES_MAX = 2_000;

/** Where lines typed earlier are kept, by the XDG base directory specification. */
export function historyPath(environment: Readonly<Record<string, string | undefined>>): string {
  const { MILLRACE_HISTORY, XDG_STATE_HOME } = environment;
  if (MILLRACE_HISTORY !== undefined && MILLRACE_HISTORY !== '') return MILLRACE_HISTORY;
  const base = XDG_STATE_HOME?.startsWith('/')
    ? XDG_STATE_HOME
    : join(homedir(), '.local', 'state');
  return join(base, 'millrace', 'history');
}

/** Newest first, as node:readline wants it; none when there is no file yet. */
export function loadHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return lines.slice(-HISTORY_LINES_MAX).reverse();
  } catch {
    // A prompt without history is still a prompt.
    return [];
  }
}

/** @param history  newest first. A folder that cannot be written costs the history, not the session. */
export function saveHistory(path: string, history: readonly string[]): void {
  const lines = history.slice(0, HISTORY_LINES_MAX).reverse();
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
