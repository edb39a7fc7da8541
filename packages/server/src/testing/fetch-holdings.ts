import { httpPaths } from "@latchkey/protocol";
import type { TestClient } from "./test-client.ts";

/** The package of the account that is connected, over HTTP as its device fetches it: an answer that was not read. */
export async function askForHoldings(url: string, client: TestClient<"device">): Promise<Response> {
  const reply = await client.ask({ kind: "inspect" });
  if (reply.kind !== "holdings") throw new Error(`no ticket: ${reply.kind}`);
  return fetchHoldings(url, reply.ticket);
}

/** What a ticket gets. */
export function fetchHoldings(url: string, ticket: Uint8Array): Promise<Response> {
  return fetch(url + httpPaths.holdings, { method: "POST", body: new Uint8Array(ticket) });
}

/** The package as text. */
export async function readHoldings(url: string, client: TestClient<"device">): Promise<string> {
  const response = await askForHoldings(url, client);
  if (!response.ok) throw new Error(`no package: ${String(response.status)}`);
  return response.text();
}
