import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyFile, isCopy, textInput } from './copy.ts';
import type { Shell } from './shell.ts';
import { type SplitPart, splitStatements } from './split.ts';
import type { Table } from './table.ts';

/** What a backslash command leaves behind. */
export interface CommandOutcome {
  readonly ok: boolean;
  readonly quit: boolean;
  /** What becomes of the statement that was being typed. */
  readonly buffer: 'keep' | 'clear';
}

export interface CommandContext {
  readonly shell: Shell;
  /** The statement typed so far, or the last one run when there is none. */
  readonly statement: string;
  readonly prefix?: string | undefined;
  /** How many `\i` are open around this one. */
  readonly depth: number;
}

interface Command {
  readonly usage: string;
  readonly help: string;
  readonly run: (context: CommandContext, argument: string) => Promise<Partial<CommandOutcome>>;
}

const INCLUDE_DEPTH_MAX = 16;
const WATCH_SECONDS_DEFAULT = 2;

const relations = ['SHOW SOURCES', 'SHOW VIEWS', 'SHOW SINKS'] as const;

const commands: Readonly<Record<string, Command>> = {
  d: {
    usage: '\\d [NAME]',
    help: 'list streams, tables, views and sinks, or describe one',
    run: ({ shell, prefix }, name) =>
      name === ''
        ? listRelations(shell)
        : runOk(shell.run(`DESCRIBE ${name}`, { title: `"${name}"`, prefix })),
  },
  'd+': {
    usage: '\\d+ NAME',
    help: 'describe one with its properties',
    run: ({ shell, prefix }, name) =>
      name === ''
        ? listRelations(shell)
        : runOk(shell.run(`DESCRIBE ${name} EXTENDED`, { prefix })),
  },
  ds: listing('ds', 'streams', 'SHOW STREAMS'),
  dt: listing('dt', 'tables', 'SHOW TABLES'),
  dv: listing('dv', 'views', 'SHOW VIEWS'),
  dk: listing('dk', 'sinks', 'SHOW SINKS'),
  dp: listing('dp', 'topics', 'SHOW TOPICS'),
  df: listing('df', 'functions', 'SHOW FUNCTIONS'),
  x: toggle('x', 'expanded', 'expanded display', 'Expanded display'),
  timing: toggle('timing', 'timing', 'timing of statements', 'Timing'),
  pset: {
    usage: '\\pset null TEXT',
    help: 'text shown for NULL',
    run: async ({ shell }, argument) => {
      const match = /^null(?:\s+(.*))?$/.exec(argument);
      if (match === null) return refuse(shell, '\\pset knows null only');
      shell.settings.nullText = unquote(match[1] ?? '');
      shell.screen.write(`Null display is "${shell.settings.nullText}".\n`);
      return {};
    },
  },
  watch: {
    usage: '\\watch [SECONDS]',
    help: 'run the statement again and again until Ctrl-C',
    run: (context, argument) => watch(context, argument),
  },
  g: {
    usage: '\\g',
    help: 'run the statement',
    run: async ({ shell, statement, prefix }) => {
      if (statement === '') return refuse(shell, 'there is no statement');
      return { ok: await shell.run(statement, { prefix }), buffer: 'clear' };
    },
  },
  p: {
    usage: '\\p',
    help: 'show the statement typed so far',
    run: async ({ shell, statement }) => {
      shell.screen.write(`${statement === '' ? 'Query buffer is empty.' : statement}\n`);
      return {};
    },
  },
  r: {
    usage: '\\r',
    help: 'forget the statement typed so far',
    run: async ({ shell }) => {
      shell.screen.write('Query buffer reset (cleared).\n');
      return { buffer: 'clear' };
    },
  },
  i: {
    usage: '\\i FILE',
    help: 'run a file',
    run: (context, argument) => include(context, unquote(argument)),
  },
  copy: {
    usage: '\\copy … FROM|TO FILE …',
    help: 'COPY with a file of yours',
    run: async ({ shell, prefix }, argument) => {
      const done = await copyFile(shell, argument, prefix);
      return typeof done === 'string' ? refuse(shell, done) : { ok: done };
    },
  },
  echo: {
    usage: '\\echo TEXT',
    help: 'print the text',
    run: async ({ shell }, argument) => {
      shell.screen.write(`${unquote(argument)}\n`);
      return {};
    },
  },
  c: {
    usage: '\\c URL',
    help: 'turn to another server',
    run: async ({ shell }, argument) => {
      const text = argument.includes('://') ? argument : `http://${argument}`;
      if (argument !== '' && !URL.canParse(text)) return refuse(shell, `"${argument}" is no URL`);
      if (argument !== '') shell.connect(new URL(text));
      shell.screen.write(`You are connected to ${shell.url.origin}.\n`);
      return { buffer: 'clear' };
    },
  },
  conninfo: {
    usage: '\\conninfo',
    help: 'the server that statements go to',
    run: async ({ shell }) => {
      shell.screen.write(`You are connected to ${shell.url.origin}.\n`);
      return {};
    },
  },
  h: {
    usage: '\\h [WORD]',
    help: 'what can be said in SQL',
    run: async ({ shell }, argument) => {
      shell.screen.write(sqlHelp(argument));
      return {};
    },
  },
  '?': {
    usage: '\\?',
    help: 'this list',
    run: async ({ shell }) => {
      const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
      const lines = Object.values(commands).map(
        ({ usage, help }) => `  ${usage.padEnd(width)}  ${help}`,
      );
      shell.screen.write(`${lines.join('\n')}\n`);
      return {};
    },
  },
  q: { usage: '\\q', help: 'leave', run: async () => ({ quit: true }) },
};

export const commandNames: readonly string[] = Object.keys(commands).map((name) => `\\${name}`);

/** Runs one backslash command as it was typed. @throws ConnectionError. */
export async function runCommand(context: CommandContext, text: string): Promise<CommandOutcome> {
  const match = /^\\(\S*)\s*(.*?)\s*;*$/s.exec(text);
  const command = commands[match?.[1] ?? ''];
  const outcome =
    command === undefined
      ? refuse(context.shell, `invalid command ${text.split(/\s/, 1)[0]}`, 'Try \\? for help.')
      : await command.run(context, match?.[2] ?? '');
  return { ok: true, quit: false, buffer: 'keep', ...outcome };
}

function refuse(shell: Shell, message: string, hint?: string): Partial<CommandOutcome> {
  shell.screen.error(`${message}\n${hint === undefined ? '' : `${hint}\n`}`);
  return { ok: false };
}

async function runOk(run: Promise<boolean>): Promise<Partial<CommandOutcome>> {
  return { ok: await run };
}

function listing(name: string, what: string, sql: string): Command {
  return {
    usage: `\\${name} [PATTERN]`,
    help: `list ${what}`,
    run: ({ shell, prefix }, pattern) => {
      const like = `'${pattern.replaceAll("'", "''").replaceAll('*', '%').replaceAll('?', '_')}'`;
      const title = `List of ${what}`;
      return runOk(shell.run(pattern === '' ? sql : `${sql} LIKE ${like}`, { title, prefix }));
    },
  };
}

function toggle(name: string, key: 'expanded' | 'timing', help: string, label: string): Command {
  return {
    usage: `\\${name} [on|off]`,
    help: `turn ${help} on or off`,
    run: async ({ shell }, argument) => {
      shell.settings[key] = argument === '' ? !shell.settings[key] : argument === 'on';
      shell.screen.write(`${label} is ${shell.settings[key] ? 'on' : 'off'}.\n`);
      return {};
    },
  };
}

/** 'it''s' -> it's; text without quotes stays. */
function unquote(text: string): string {
  const match = /^'(.*)'$/s.exec(text);
  return match === null ? text : (match[1] ?? '').replaceAll("''", "'");
}

async function listRelations(shell: Shell): Promise<Partial<CommandOutcome>> {
  const rows: (readonly (string | null)[])[] = [];
  for (const sql of relations) {
    const table = await shell.fetch(sql);
    for (const row of table?.rows ?? []) rows.push([row[0] ?? null, kindOf(table, row)]);
  }
  rows.sort((a, b) => String(a[0]).localeCompare(String(b[0])));
  if (rows.length === 0) {
    shell.screen.write('Did not find any relations.\n');
    return {};
  }
  const columns = ['Name', 'Type'].map((name) => ({ name, type: 'text' }));
  shell.print({ columns, rows }, 'List of relations');
  return {};
}

/** Sinks have no column `kind`: they are all of one. */
function kindOf(table: Table | undefined, row: readonly (string | null)[]): string {
  const index = table?.columns.findIndex((column) => column.name === 'kind') ?? -1;
  return index === -1 ? 'sink' : (row[index] ?? '');
}

async function watch(context: CommandContext, argument: string): Promise<Partial<CommandOutcome>> {
  const { shell, statement } = context;
  const seconds = argument === '' ? WATCH_SECONDS_DEFAULT : Number(argument);
  if (!(seconds > 0)) return refuse(shell, '\\watch wants a number of seconds above 0');
  if (statement === '') return refuse(shell, '\\watch cannot be used with an empty query');
  let ok = true;
  let watching = true;
  while (watching) {
    const title = `${new Date().toString().slice(0, 24)} (every ${seconds}s)\n`;
    shell.screen.write(`${title}\n`);
    ok = await shell.run(statement, { prefix: context.prefix });
    // A failed or cancelled run ends the watch; so does Ctrl-C while it waits.
    watching = ok && (await waits(shell, seconds));
  }
  return { ok, buffer: 'clear' };
}

async function waits(shell: Shell, seconds: number): Promise<boolean> {
  const whole = await shell.pausable((signal) => sleep(seconds * 1000, true, { signal }));
  return whole === true;
}

async function include(context: CommandContext, path: string): Promise<Partial<CommandOutcome>> {
  const { shell, depth } = context;
  if (path === '') return refuse(shell, '\\i: missing required argument');
  if (depth >= INCLUDE_DEPTH_MAX) return refuse(shell, `\\i: more than ${INCLUDE_DEPTH_MAX} deep`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return refuse(shell, `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return await runText(text, path, shell, { stopAtError: false, depth: depth + 1 });
}

export interface TextOptions {
  /** Stop at the first error, as `millrace run` does. */
  readonly stopAtError: boolean;
  readonly depth: number;
}

/**
 * Runs all statements and backslash commands of a text; a last statement needs no semicolon.
 * @param name  named in errors; undefined leaves the place out.
 */
export async function runText(
  text: string,
  name: string | undefined,
  shell: Shell,
  options: TextOptions,
): Promise<{ readonly ok: boolean; readonly quit: boolean }> {
  const split = splitStatements(text, true);
  // The end of the text ends the rows too.
  const isCut = split.state === 'copy';
  const { parts, rest, restLine } = isCut ? splitStatements(`${text}\n\\.\n`, true) : split;
  const last = rest.trim();
  const all =
    last === '' ? parts : [...parts, { kind: 'statement', text: last, line: restLine } as const];
  let ok = true;
  let previous = '';
  for (const part of all) {
    if (part.kind === 'statement') {
      previous = part.text;
      const prefix = name === undefined ? '' : `${name}:${part.line}: `;
      ok = (await runStatement(shell, part, prefix)) && ok;
    } else {
      const statement = part.pending === '' ? previous : part.pending;
      const outcome = await runCommand({ shell, statement, depth: options.depth }, part.text);
      ok = outcome.ok && ok;
      if (outcome.quit) return { ok, quit: true };
    }
    if (!ok && options.stopAtError) return { ok, quit: false };
  }
  return { ok, quit: false };
}

/** A statement with the rows that stand behind it, if it is COPY … FROM STDIN. */
export async function runStatement(
  shell: Shell,
  { text, data }: Extract<SplitPart, { kind: 'statement' }>,
  prefix?: string,
): Promise<boolean> {
  if (!isCopy(text)) return shell.run(text, { prefix });
  return shell.copy(text, data === undefined ? undefined : textInput(data), { prefix });
}

const sqlTopics: readonly (readonly [string, string])[] = [
  [
    'CREATE STREAM',
    "CREATE STREAM name (column type, …) WITH (kafka_topic = '…', value_format = 'json', partitions = n)",
  ],
  [
    'CREATE TABLE',
    "CREATE TABLE name (column type, …, PRIMARY KEY (column)) [WITH (kafka_topic = '…', …)]",
  ],
  ['CREATE MATERIALIZED VIEW', 'CREATE MATERIALIZED VIEW name AS SELECT …'],
  ['CREATE SINK', "CREATE SINK name FROM view | AS SELECT … WITH (connector = '…', …)"],
  ['INSERT', 'INSERT INTO name [(column, …)] VALUES (…), … | SELECT …'],
  [
    'SELECT',
    'SELECT … FROM … [JOIN …] [WHERE …] [GROUP BY …] [ORDER BY …] [LIMIT n] [EMIT CHANGES]',
  ],
  ['COPY', 'COPY name [(column, …)] FROM STDIN | TO STDOUT [WITH (FORMAT csv, HEADER, …)]'],
  ['SUBSCRIBE', 'SUBSCRIBE [TO] view | SELECT …'],
  [
    'SHOW',
    'SHOW STREAMS | TABLES | VIEWS | SINKS | TOPICS | FUNCTIONS | QUERIES | ALL [LIKE pattern]',
  ],
  ['DESCRIBE', 'DESCRIBE name [EXTENDED]'],
  ['EXPLAIN', 'EXPLAIN [ANALYZE] statement | view'],
  ['DROP', 'DROP STREAM | TABLE | MATERIALIZED VIEW | SINK [IF EXISTS] name [CASCADE]'],
  ['PAUSE', 'PAUSE name'],
  ['RESUME', 'RESUME name'],
  ['FLUSH', 'FLUSH'],
  ['SET', 'SET name = value'],
];

function sqlHelp(word: string): string {
  const wanted = word.toUpperCase();
  const found = sqlTopics.filter(([name]) => name.startsWith(wanted));
  if (found.length === 0) return `No help about "${word}". Try \\h.\n`;
  return `${found.map(([name, usage]) => `${name}\n  ${usage}`).join('\n')}\n`;
}
