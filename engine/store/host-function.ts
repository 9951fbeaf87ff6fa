/** DuckDB's side of host calls: registers one function per signature and evaluates its calls. */
import duckdb from '@duckdb/node-bindings';
import { assert } from '../../sql/base/assert.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { Connection } from './connection.ts';
import { callName, callSignature, type HostCall } from './host-call.ts';
import { computedForm } from './stored-form.ts';
import { readBytes, type VectorReader, vectorReader } from './vector-read.ts';
import { logicalType, writeValues } from './vector-write.ts';

interface Active {
  readonly call: HostCall;
  /** Calls of one signature may take their values differently: a numeric and a text are both VARCHAR. */
  readonly readers: readonly VectorReader[];
  /** Running statements that use the call. */
  uses: number;
  error: StreamError | undefined;
}

const ERROR_MARK = 'host call failed: ';
const errorPattern = /host call failed: (\d+)/;

/**
 * The host calls of the queries that run now. Every reading connection has functions of its own, behind a macro of the
 * common name: DuckDB's calls of one function queue up, and two queries that fill one queue in turn would
 * keep the event loop from turning until both are done.
 */
export class HostFunctions {
  readonly #connection: Connection;
  /** Signatures known to each reader, and the reader's number. */
  readonly #readers = new Map<Connection, { readonly slot: number; readonly known: Set<string> }>();
  readonly #active = new Map<number, Active>();

  /** @param connection  used for nothing else; functions are known to all connections of its database. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Call before a query that uses them is prepared on `reader`. */
  async enter(reader: Connection, calls: readonly HostCall[]): Promise<void> {
    for (const call of calls) {
      const known = this.#active.get(call.id);
      if (known !== undefined) known.uses++;
      else {
        const readers = call.parameters.map(readerOf);
        this.#active.set(call.id, { call, readers, uses: 1, error: undefined });
      }
    }
    const { slot, known } = this.#reader(reader);
    for (const call of calls) {
      const signature = callSignature(call);
      if (known.has(signature)) continue;
      const name = `${callName(call)}_${slot}`;
      this.#register(name, call);
      const parameters = ['id', ...call.parameters.map((_, i) => `a${i}`)].join(', ');
      await reader.run(
        `CREATE OR REPLACE TEMP MACRO ${callName(call)}(${parameters}) AS ${name}(${parameters})`,
      );
      known.add(signature);
    }
  }

  #reader(connection: Connection) {
    let reader = this.#readers.get(connection);
    if (reader === undefined) {
      reader = { slot: this.#readers.size, known: new Set() };
      this.#readers.set(connection, reader);
    }
    return reader;
  }

  /** Call when the query has ended. */
  leave(calls: readonly HostCall[]): void {
    for (const call of calls) {
      const known = this.#active.get(call.id);
      if (known !== undefined && --known.uses === 0) this.#active.delete(call.id);
    }
  }

  /** The error of the call that made a query fail with DuckDB's `cause`, if one did. */
  errorOf(cause: unknown): StreamError | undefined {
    const match = errorPattern.exec(cause instanceof Error ? cause.message : '');
    return match === null ? undefined : this.#active.get(Number(match[1]))?.error;
  }

  close(): void {
    this.#connection.close();
  }

  #register(name: string, call: HostCall): void {
    const fn = duckdb.create_scalar_function();
    duckdb.scalar_function_set_name(fn, name);
    duckdb.scalar_function_add_parameter(fn, duckdb.create_logical_type(duckdb.Type.INTEGER));
    for (const type of call.parameters) {
      duckdb.scalar_function_add_parameter(fn, logicalType(computedForm(type)));
    }
    duckdb.scalar_function_set_return_type(fn, logicalType(computedForm(call.result)));
    // Without it DuckDB answers NULL by itself for any NULL argument.
    duckdb.scalar_function_set_special_handling(fn);
    if (call.volatile) duckdb.scalar_function_set_volatile(fn);
    const form = computedForm(call.result);
    duckdb.scalar_function_set_function(fn, (info, input, output) => {
      const count = duckdb.data_chunk_get_size(input);
      if (count === 0) return;
      const ids = readBytes(duckdb.data_chunk_get_vector(input, 0), count * 4);
      const id = new DataView(ids.buffer, ids.byteOffset, ids.byteLength).getInt32(0, true);
      const active = this.#active.get(id);
      try {
        assert(active !== undefined, `host call ${id} belongs to a running query`);
        const args = active.readers.map((read, i) =>
          read(duckdb.data_chunk_get_vector(input, i + 1), count),
        );
        writeValues(output, form, evaluateAll(active.call, args, count));
      } catch (cause) {
        if (active !== undefined) active.error = asStreamError(cause);
        duckdb.scalar_function_set_error(info, `${ERROR_MARK}${id}`);
      }
    });
    duckdb.register_scalar_function(this.#connection.handle, fn);
    duckdb.destroy_scalar_function_sync(fn);
  }
}

function readerOf(type: SqlType): VectorReader {
  return vectorReader(logicalType(computedForm(type)), type);
}

function evaluateAll(
  call: HostCall,
  columns: readonly (readonly (Datum | null)[])[],
  count: number,
): (Datum | null)[] {
  const results: (Datum | null)[] = new Array(count);
  const args: (Datum | null)[] = new Array(columns.length);
  for (let row = 0; row < count; row++) {
    let someNull = false;
    for (let i = 0; i < columns.length; i++) {
      const value = columns[i]?.[row] ?? null;
      args[i] = value;
      if (value === null) someNull = true;
    }
    results[row] = someNull && call.strict ? null : call.evaluate(args);
  }
  return results;
}

function asStreamError(cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  return new StreamError('INTERNAL', cause instanceof Error ? cause.message : String(cause), {
    cause,
  });
}
