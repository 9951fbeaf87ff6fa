import type { RowChange } from '../../engine/view/row-change.ts';
import type { Subscription, SubscriptionEvent } from '../database.ts';
import type { RowWriter } from './row-text.ts';

/**
 * One message of a subscription. The doors add their own envelope (an id, an SSE event name) around `text`,
 * which is a JSON object.
 */
export interface SubscriptionMessage {
  readonly kind: 'snapshot' | 'change';
  readonly version: number;
  /** True when the reader holds all of `version` with this message, so that it may resume after it. */
  readonly complete: boolean;
  readonly text: string;
}

/** Rows of a snapshot that go into one message. */
const ROWS_PER_MESSAGE = 1000;

/**
 * Messages in order: `{"kind":"snapshot","version":V,"rows":[…],"last":false}` until one says `"last":true`, then
 * `{"kind":"change","version":V,"op":"insert","row":…,"last":true}`; `last` closes a version's changes.
 */
export function* messagesOf(
  event: SubscriptionEvent,
  writer: RowWriter,
): Generator<SubscriptionMessage> {
  const { version } = event;
  if (event.kind === 'changes') {
    yield* changeMessages(event, writer);
    return;
  }
  for (let from = 0; from === 0 || from < event.rows.length; from += ROWS_PER_MESSAGE) {
    const rows = event.rows.slice(from, from + ROWS_PER_MESSAGE);
    const complete = event.last && from + ROWS_PER_MESSAGE >= event.rows.length;
    const body = rows.map(writer).join(',');
    const text = `{"kind":"snapshot","version":${version},"rows":[${body}],"last":${complete}}`;
    yield { kind: 'snapshot', version, complete, text };
  }
}

/** What many readers of a view get is written once: they are given the same list of changes. */
const written = new WeakMap<readonly RowChange[], { writer: RowWriter; messages: Messages }>();

type Messages = readonly SubscriptionMessage[];
type Changes = Extract<SubscriptionEvent, { kind: 'changes' }>;

function changeMessages({ version, changes }: Changes, writer: RowWriter): Messages {
  const known = written.get(changes);
  if (known?.writer === writer) return known.messages;
  const end = changes.length - 1;
  const messages = changes.map((change, index): SubscriptionMessage => {
    const complete = index === end;
    const text = changeText(version, change, complete, writer);
    return { kind: 'change', version, complete, text };
  });
  written.set(changes, { writer, messages });
  return messages;
}

function changeText(version: number, change: RowChange, last: boolean, writer: RowWriter): string {
  const before = change.op === 'update' ? `,"before":${writer(change.before)}` : '';
  const row = writer(change.row);
  return `{"kind":"change","version":${version},"op":"${change.op}","row":${row}${before},"last":${last}}`;
}

/** Closes `subscription` when the signal fires, which ends the loop over its events. */
export function closeOnAbort(subscription: Subscription, signal: AbortSignal): void {
  if (signal.aborted) subscription.close();
  else signal.addEventListener('abort', () => subscription.close(), { once: true });
}

/**
 * Ends a subscription for good. What stands behind it (a view of a pushed query, a scan) is given back by its
 * iterator, and an iterator that was never begun cleans up nothing: so one step of it is taken.
 */
export async function endSubscription(subscription: Subscription): Promise<void> {
  subscription.close();
  const events = subscription.events[Symbol.asyncIterator]();
  try {
    await events.next();
  } finally {
    await events.return?.();
  }
}
