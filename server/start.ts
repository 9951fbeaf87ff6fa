import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { destination, type Logger, pino } from 'pino';
import { formatEndpoint, type ServerConfig } from './config.ts';
import type { Database } from './database.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { openMillrace } from './millrace.ts';

/** How long a start waits for a port or a data directory that an ending process still holds. */
const TAKEOVER_MS_MAX = 3_000;
const TAKEOVER_STEP_MS = 50;
/**
 * One Ctrl-C reaches this process several times when a parent (npm, or the old Node that started it) passes on what
 * the terminal has sent to the whole group; signals this close together count as one.
 */
const SAME_SIGNAL_MS = 300;

/**
 * Serves until SIGTERM or SIGINT, then commits and stops; a second signal ends the process at once. Prints
 * `millrace ready …` to standard output when it serves; logs go to standard error as JSON lines.
 */
export async function start(config: ServerConfig): Promise<void> {
  // Fetched bytes live outside the heap but count towards its growth; with the default a small heap is collected over and
  // over for them, at a third of the CPU of reading from Kafka.
  setFlagsFromString('--heap-growing-percent=300');
  const log = pino({ level: config.logLevel }, destination({ dest: 2, sync: true }));
  const stopSignal = watchSignals(log);
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
  let database: Database | undefined;
  let http: HttpServer | undefined;
  try {
    const opened = await whileBusy(() => openMillrace({ ...config, log }));
    database = opened;
    const server = await createHttpServer(opened, config.limits, log, config.origins);
    http = server;
    const port = await whileBusy(() => server.listen(config.http.host, config.http.port));
    const address = formatEndpoint({ host: config.http.host, port });
    process.stdout.write(`millrace ready http=${address} pg=off data=${config.data}\n`);
    await stopSignal;
  } catch (error) {
    log.fatal({ err: error }, 'the server cannot start');
    process.stderr.write(`millrace: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
  await stop(http, database, log);
}

/** Readers first, so that nobody asks a closed database; the last commit comes at the end. */
async function stop(
  http: HttpServer | undefined,
  database: Database | undefined,
  log: Logger,
): Promise<void> {
  try {
    await http?.close();
    await database?.close();
    log.info({}, 'stopped');
  } catch (error) {
    log.fatal({ err: error }, 'the server did not stop cleanly');
    process.exitCode = 1;
  }
  // Whatever timer or socket is left must not keep a stopped server alive.
  process.exit();
}

async function watchSignals(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let stoppingSince: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (stoppingSince !== undefined) {
        if (now - stoppingSince > SAME_SIGNAL_MS) process.exit(signal === 'SIGTERM' ? 143 : 130);
        return;
      }
      stoppingSince = now;
      log.info({ signal }, 'stopping');
      resolve();
    });
  }
  await promise;
}

/** Repeats while another process, probably one that was just killed, still holds what is needed. */
async function whileBusy<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + TAKEOVER_MS_MAX;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await sleep(TAKEOVER_STEP_MS);
    }
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const causes =
    error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
  return ('code' in error && error.code === 'EADDRINUSE') || /could not set lock/i.test(causes);
}
