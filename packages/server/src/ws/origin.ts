import type { IncomingHttpHeaders } from "node:http";

/**
 * Whether the page that asks for a WebSocket is this server's own. Browsers send a page's origin with every upgrade and ask
 * nobody for leave, so another site's page could talk to the server from its visitors' addresses. Command lines send none.
 * @param host the server's public name: a proxy may have put its own into the Host header
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, host: string): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  const asked = parse(origin);
  if (asked === undefined) return false;
  // By the scheme of the page: a Host header may or may not name its port.
  return [host, headers.host].some((own) => own !== undefined && parse(`${asked.protocol}//${own}`)?.host === asked.host);
}

function parse(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.host !== "" ? url : undefined;
}
