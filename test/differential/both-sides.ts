/** The same statement on PostgreSQL (PGlite, in this process) and on a whole Millrace database, with comparable answers. */
import assert from 'node:assert/strict';
import { type PGlite, protocol } from '@electric-sql/pglite';
import type { Database, StatementFailure } from '../../server/database.ts';
import { type MillraceOptions, openMillrace } from '../../server/millrace.ts';
import { StreamError } from '../../sql/base/error.ts';
import { toText, zonedTextWriter } from '../../sql/base/text-output.ts';
import { zoneByName } from '../../sql/base/timezone.ts';
import { typeName } from '../../sql/base/type.ts';
import { openFilesUnder } from '../open-files.ts';
import { openPglite } from '../open-pglite.ts';

export interface Answered {
  readonly kind: 'answered';
  readonly tag: string;
  /** `name type` of each column, types as format_type prints them. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface Failed {
  readonly kind: 'failed';
  readonly sqlstate: string;
  readonly message: string;
}

export type Answer = Answered | Failed;

/** PGlite by its protocol messages, which keep every value as the text that PostgreSQL sent. */
export class Judge {
  readonly #postgres: PGlite;
  readonly #typeNames = new Map<string, string>();

  private constructor(postgres: PGlite) {
    this.#postgres = postgres;
  }

  static async open(): Promise<Judge> {
    const postgres = await openPglite();
    await postgres.exec("SET timezone = 'UTC'");
    return new Judge(postgres);
  }

  async run(sql: string): Promise<Answer> {
    const { messages } = await this.#postgres.execProtocol(protocol.serialize.query(sql), {
      syncToFs: false,
      throwOnError: false,
    });
    let tag = '';
    let columns: string[] = [];
    const rows: (string | null)[][] = [];
    for (const message of messages) {
      if (message.name === 'error') {
        const { code, message: text } = message as unknown as { code: string; message: string };
        return { kind: 'failed', sqlstate: code, message: text };
      }
      if (message.name === 'commandComplete') {
        tag = (message as unknown as { text: string }).text;
      }
      if (message.name === 'dataRow') {
        rows.push((message as unknown as { fields: (string | null)[] }).fields);
      }
      if (message.name === 'rowDescription') {
        const { fields } = message as unknown as {
          fields: { name: string; dataTypeID: number; dataTypeModifier: number }[];
        };
        columns = [];
        for (const { name, dataTypeID, dataTypeModifier } of fields) {
          columns.push(`${name} ${await this.#typeName(dataTypeID, dataTypeModifier)}`);
        }
      }
    }
    return { kind: 'answered', tag, columns, rows };
  }

  async #typeName(oid: number, modifier: number): Promise<string> {
    const key = `${oid}, ${modifier}`;
    const known = this.#typeNames.get(key);
    if (known !== undefined) return known;
    const { rows } = await this.#postgres.query<{ name: string }>(
      `SELECT format_type(${key}) AS name`,
    );
    const name = rows[0]?.name ?? '';
    this.#typeNames.set(key, name);
    return name;
  }

  async close(): Promise<void> {
    await this.#postgres.close();
  }
}

/** A Millrace database, asked as the doors ask it. */
export class Subject {
  readonly #options: MillraceOptions;
  #database: Database;

  private constructor(options: MillraceOptions, database: Database) {
    this.#options = options;
    this.#database = database;
  }

  static async open(
    path = ':memory:',
    stateLimits?: MillraceOptions['stateLimits'],
  ): Promise<Subject> {
    const options = { data: path, stateLimits };
    return new Subject(options, await openMillrace(options));
  }

  get database(): Database {
    return this.#database;
  }

  /** @param between  runs while the database is closed. */
  async reopen(between?: () => Promise<void>): Promise<void> {
    await this.#database.close();
    // Two databases on one file would write over each other.
    assert.deepEqual(openFilesUnder(`${this.#options.data}/`), []);
    await between?.();
    this.#database = await openMillrace(this.#options);
  }

  async run(sql: string, sessionName = 'differential'): Promise<Answer> {
    try {
      let answer: Answer = { kind: 'answered', tag: '', columns: [], rows: [] };
      const session = this.#database.session(sessionName);
      for await (const result of session.execute(sql, [], new AbortController().signal)) {
        if (result.kind === 'subscription') {
          result.subscription.close();
          throw new Error(`not a statement with one answer: ${sql}`);
        }
        if (result.kind === 'ok') {
          answer = { kind: 'answered', tag: result.tag, columns: [], rows: [] };
          continue;
        }
        const rows: (string | null)[][] = [];
        for await (const chunk of result.chunks) {
          for (const row of chunk) {
            rows.push(
              result.schema.map((column, i) => {
                const datum = row[i] ?? null;
                if (datum === null) return null;
                if (result.zone === undefined) return toText(datum, column.type);
                return zonedTextWriter(column.type, zoneByName(result.zone))(datum);
              }),
            );
          }
        }
        const columns = result.schema.map(({ name, type }) => `${name} ${typeName(type)}`);
        const tag = result.tag === 'SELECT' ? `SELECT ${rows.length}` : result.tag;
        answer = { kind: 'answered', tag, columns, rows };
      }
      return answer;
    } catch (cause) {
      const error =
        cause instanceof StreamError ? cause : (cause as Partial<StatementFailure>).error;
      if (error === undefined) throw cause;
      return { kind: 'failed', sqlstate: error.sqlstate, message: error.message };
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** Rows in an order of our own, for queries that promise none. */
export function asBag(answer: Answer): Answer {
  if (answer.kind === 'failed') return answer;
  const byText = (a: unknown, b: unknown): number =>
    JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return { ...answer, rows: answer.rows.toSorted(byText) };
}
