import type { TopicLog } from '../connectors/connector.ts';
import { type ErrorContext, StreamError } from '../sql/base/error.ts';
import type { Core } from './core.ts';

/** The log that has a topic. @throws StreamError SOURCE_UNKNOWN_TOPIC, with the context. */
export async function logWith(
  core: Core,
  topic: string,
  context?: ErrorContext,
): Promise<TopicLog> {
  for (const log of core.logs) if ((await log.describe(topic)) !== undefined) return log;
  throw new StreamError('SOURCE_UNKNOWN_TOPIC', `topic "${topic}" does not exist`, context);
}
