import type { Client } from "../api.ts";
import { readHoldings } from "../api/holdings.ts";

/** The package of what a server holds about a client's account, as text. */
export async function holdingsText(client: Pick<Client, "inspect">): Promise<string> {
  const pieces = await Array.fromAsync(readHoldings(await client.inspect()));
  return new TextDecoder().decode(await new Blob(pieces.map((piece) => new Uint8Array(piece))).arrayBuffer());
}
