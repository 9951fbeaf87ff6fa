import { keywords } from '../../sql/keyword.ts';
import { commandNames } from './command.ts';
import type { Shell } from './shell.ts';

/** How long names that were fetched are offered before they are asked for again. */
const NAMES_MS_MAX = 5_000;
/** A server that is slower than this offers keywords only. */
const FETCH_MS_MAX = 1_000;

/** Words of the streaming clauses, which are no keywords to the grammar. */
const streamingWords = [
  'stream',
  'sink',
  'source',
  'emit',
  'changes',
  'final',
  'every',
  'subscribe',
  'tumble',
  'hop',
  'cumulate',
  'session',
  'watermark',
  'describe',
  'extended',
  'pause',
  'resume',
  'terminate',
  'flush',
  'streams',
  'tables',
  'views',
  'sinks',
  'topics',
  'functions',
  'queries',
  'partitions',
  'kafka_topic',
  'value_format',
  'key_format',
  'connector',
  'grace',
  'size',
  'tumbling',
  'hopping',
];

const words = [...new Set([...keywords.keys(), ...streamingWords])].sort();

/** After these words a relation is meant, so keywords would only be in the way. */
const relationExpected =
  /\b(?:from|join|into|update|table|describe|desc|subscribe(?:\s+to)?|drop\s+(?:materialized\s+view|stream|table|view|sink)(?:\s+if\s+exists)?|pause|resume|refresh|\\d\+?)\s+$/i;

/** Completes keywords, relations and the columns of relations that the statement names. */
export class Completer {
  readonly #shell: Shell;
  #relations: readonly string[] = [];
  #functions: readonly string[] = [];
  #columns = new Map<string, readonly string[]>();
  #fetchedAt = Number.NEGATIVE_INFINITY;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Names may have changed: a statement was run. */
  forget(): void {
    this.#fetchedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * @param line       the line up to the cursor.
   * @param statement  lines typed before it.
   * @returns candidates and the part of the line they replace, as node:readline wants it.
   */
  async complete(line: string, statement: string): Promise<[string[], string]> {
    const [candidates, word] = await this.#candidates(line, statement);
    const [only] = candidates;
    // A word that is whole wants a space after it, as in psql; a function its arguments.
    if (candidates.length === 1 && only !== undefined && !only.endsWith('(')) {
      return [[`${only} `], word];
    }
    return [candidates, word];
  }

  async #candidates(line: string, statement: string): Promise<[string[], string]> {
    if (/^\s*\\[^\s]*$/.test(line)) {
      const typed = line.trim();
      return [commandNames.filter((name) => name.startsWith(typed)), typed];
    }
    const text = `${statement}\n${line}`;
    const word = /[\w$\u0080-\uffff]*$/.exec(line)?.[0] ?? '';
    const before = text.slice(0, text.length - word.length);
    await this.#refresh();
    const owner = /([\w$\u0080-\uffff]+)\.$/.exec(before)?.[1];
    if (owner !== undefined) {
      const columns = await this.#columnsOf(this.#resolve(owner, text));
      return [matching(columns, word), word];
    }
    if (relationExpected.test(before)) return [matching(this.#relations, word), word];
    const columns = await this.#columnsIn(text);
    const names = [...columns, ...this.#relations, ...this.#functions.map((name) => `${name}(`)];
    const found = word === '' ? matching(columns, word) : matching(names, word);
    const upper = /[A-Z]/.test(word) && !/[a-z]/.test(word);
    const known = word === '' ? [] : matching(words, word.toLowerCase());
    return [
      [...new Set([...found, ...known.map((name) => (upper ? name.toUpperCase() : name))])],
      word,
    ];
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#fetchedAt < NAMES_MS_MAX) return;
    const [sources, views, sinks, functions] = await Promise.all(
      ['SOURCES', 'VIEWS', 'SINKS', 'FUNCTIONS'].map((what) => this.#firstColumn(`SHOW ${what}`)),
    );
    this.#relations = [...(sources ?? []), ...(views ?? []), ...(sinks ?? [])].sort();
    this.#functions = [...new Set(functions ?? [])].sort();
    this.#columns = new Map();
    this.#fetchedAt = performance.now();
  }

  /** The first column of a result; nothing when the server is slow, gone or refuses. */
  async #firstColumn(sql: string): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, FETCH_MS_MAX, undefined);
    try {
      const table = await Promise.race([this.#shell.fetch(sql), promise]);
      return (table?.rows ?? []).flatMap(([name]) => (typeof name === 'string' ? [name] : []));
    } catch {
      // Completion is a courtesy; the statement itself will say what is wrong.
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  /** The relation that an alias stands for in the statement, or the name itself. */
  #resolve(name: string, text: string): string {
    const alias = new RegExp(`([\\w$]+)\\s+(?:as\\s+)?${name.replaceAll('$', '\\$')}\\b`, 'i').exec(
      text,
    )?.[1];
    return alias !== undefined && this.#relations.includes(alias) ? alias : name;
  }

  async #columnsIn(text: string): Promise<readonly string[]> {
    const named = this.#relations.filter((name) =>
      new RegExp(`\\b${escapePattern(name)}\\b`).test(text),
    );
    const lists = await Promise.all(named.slice(0, 8).map((name) => this.#columnsOf(name)));
    return [...new Set(lists.flat())];
  }

  async #columnsOf(relation: string): Promise<readonly string[]> {
    const known = this.#columns.get(relation);
    if (known !== undefined) return known;
    if (!this.#relations.includes(relation)) return [];
    const columns = await this.#firstColumn(`DESCRIBE "${relation.replaceAll('"', '""')}"`);
    this.#columns.set(relation, columns);
    return columns;
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function matching(candidates: readonly string[], start: string): string[] {
  return candidates.filter((candidate) => candidate.startsWith(start));
}
