import { StreamError } from '../../sql/base/error.ts';

/**
 * Refuses what a foreign web page sends from a user's browser: the server has no passwords, listens on localhost, and
 * a page from anywhere may post to it or open a WebSocket. Programs send no `Origin`; pages of the same host may come
 * from any port; `allowed` names further origins, `*` all.
 * @throws StreamError REQUEST_ORIGIN.
 */
export function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): void {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).hostname === hostnameOf(host)) return;
  throw new StreamError('REQUEST_ORIGIN', `pages from ${origin} may not use this server`, {
    hint: 'Start it with MILLRACE_ORIGINS naming the origin, or * for all.',
  });
}

function hostnameOf(host: string | undefined): string | undefined {
  const url = `http://${host ?? ''}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
